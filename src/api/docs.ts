import { type RequestHandler, Router, static as staticFiles } from 'express';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const ASSETS = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Tributary API</title>
  <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/docs/assets/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: '/api/v1/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  docExpansion: 'none',
});
`;

const send =
  (type: string, content: string): RequestHandler =>
  (_request, response) => {
    response.type(type).send(content);
  };

/** The browsable page of the API, served from this machine alone: no other host, no inline script. */
export const docsRouter = (): Router =>
  Router()
    .get('/', send('html', PAGE))
    .get('/start.js', send('text/javascript', START))
    .use('/assets', staticFiles(ASSETS, { index: false, maxAge: '1 day' }));
