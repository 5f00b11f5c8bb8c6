import { expect, test } from 'vitest';
import { type CandidateGroup, groupForCharge } from '../../../src/domain/charge/group-for-charge.ts';

const group = (id: string, timezone: string, isDefault: boolean): CandidateGroup => ({ id, timezone, isDefault });
const [utc, tokyo] = ['Etc/UTC', 'Asia/Tokyo'];

// prettier-ignore
test.each([
  { when: 'there is none',                          candidates: [],                                                              choice: { none: 'NO_GROUP' } },
  { when: 'there is one default',                   candidates: [group('a', tokyo, true)],                                       choice: { groupId: 'a' } },
  { when: 'a default lies in the zone',             candidates: [group('a', utc, true), group('b', tokyo, true)],                choice: { groupId: 'b' } },
  { when: 'two defaults lie in the zone',           candidates: [group('a', tokyo, true), group('b', tokyo, true)],              choice: { groupId: 'a' } },
  { when: 'no default lies in the zone',            candidates: [group('a', utc, true), group('b', utc, true)],                  choice: { groupId: 'a' } },
  { when: 'a default is younger than another',      candidates: [group('a', tokyo, false), group('b', utc, true)],               choice: { groupId: 'b' } },
  { when: 'one that is no default is the only one', candidates: [group('a', utc, false)],                                        choice: { groupId: 'a' } },
  { when: 'several are no default',                 candidates: [group('a', tokyo, false), group('b', tokyo, false)],            choice: { none: 'SEVERAL_GROUPS' } },
])('is $choice when $when', ({ candidates, choice }) => {
  expect(groupForCharge(candidates, 'Asia/Tokyo')).toEqual(choice);
});
