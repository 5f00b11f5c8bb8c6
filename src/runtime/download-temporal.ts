import { TestWorkflowEnvironment } from '@temporalio/testing';

// Run as a program of its own: `node download-temporal.ts <folder> <version>` leaves the Temporal command line in the folder.
const [downloadDir = '', version = ''] = process.argv.slice(2);
const server = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir, version }, ip: '127.0.0.1' },
});
await server.teardown();
process.exit(0);
