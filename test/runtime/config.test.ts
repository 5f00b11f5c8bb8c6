import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

test('everything has a default', () => {
  expect(readConfig({})).toEqual({
    port: 3000,
    host: '127.0.0.1',
    dataDir: resolve('.tributary'),
    platformApiKey: null,
    databaseUrl: null,
    temporalAddress: null,
    temporalNamespace: 'default',
    temporalTaskQueue: 'tributary-billing',
    temporalUiUrl: null,
    publicUrl: null,
    logLevel: 'info',
  });
});

test('what is set is taken, and cannot be changed later', () => {
  const config = readConfig({ PORT: '8080', DATABASE_URL: 'postgres://a:b@db/x', TEMPORAL_ADDRESS: 'temporal:7233' });
  expect(config).toMatchObject({ port: 8080, databaseUrl: 'postgres://a:b@db/x', temporalAddress: 'temporal:7233' });
  expect(Object.isFrozen(config)).toBe(true);
});

test('an empty variable counts as absent', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toEqual(readConfig({}));
});

// prettier-ignore
test.each([
  { variable: 'PORT',             value: 'http',                    cure: '0 to 65535' },
  { variable: 'PORT',             value: '65536',                   cure: '0 to 65535' },
  { variable: 'HOST',             value: 'two words',               cure: '127.0.0.1' },
  { variable: 'DATABASE_URL',     value: 'mysql://db/x',            cure: 'postgresql://' },
  { variable: 'DATABASE_URL',     value: 'localhost',               cure: 'postgresql://' },
  { variable: 'TEMPORAL_ADDRESS', value: 'http://temporal:7233',    cure: '127.0.0.1:7233' },
  { variable: 'TEMPORAL_ADDRESS', value: 'temporal',                cure: '127.0.0.1:7233' },
  { variable: 'TEMPORAL_UI_URL',  value: 'temporal:8080',           cure: 'http://' },
  { variable: 'PUBLIC_URL',       value: 'ftp://billing.example',   cure: 'https://' },
  { variable: 'PLATFORM_API_KEY', value: 'a secret',                cure: 'openssl' },
  { variable: 'LOG_LEVEL',        value: 'loud',                    cure: 'debug' },
])('$variable=$value is refused by name, with the cure, in one line, without its value', ({ variable, value, cure }) => {
  const refusal = () => readConfig({ [variable]: value });
  expect(refusal).toThrow(ConfigError);
  expect(refusal).toThrow(new RegExp(`^${variable} .*${cure}[^\n]*$`));
  expect(refusal).not.toThrow(new RegExp(` ${value} `));
});

test('each variable at fault has a line', () => {
  expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'x' })).toThrow(/^PORT .*\nLOG_LEVEL .*$/);
});
