export { billingGroupWorkflow } from './billing-group.ts';
export { billingRunWorkflow } from './billing-run.ts';
export { testClockWorkflow } from './test-clock.ts';
