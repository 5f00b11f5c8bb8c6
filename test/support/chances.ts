import fc from 'fast-check';

// Every run draws new cases for its properties; TEST_SEED of the environment has the same ones drawn again.
const seed = Number(process.env['TEST_SEED']);
if (Number.isInteger(seed)) fc.configureGlobal({ seed });
