/** A payer's open group of the charge's entity and currency. */
export interface CandidateGroup {
  readonly id: string;
  readonly isDefault: boolean;
  readonly timezone: string;
}

/** The group that a charge goes to, or why there is none. */
export type GroupChoice = { readonly groupId: string } | { readonly none: 'NO_GROUP' | 'SEVERAL_GROUPS' };

/**
 * The group on whose next invoice a charge goes that names none (G4): the payer's oldest default group in the entity's zone,
 * else its oldest default group, else its only group. Among several others it is not guessed.
 *
 * @param candidates of one payer, entity and currency, none closed, oldest first.
 */
export function groupForCharge(candidates: readonly CandidateGroup[], timezone: string): GroupChoice {
  const defaults = candidates.filter(({ isDefault }) => isDefault);
  const found = defaults.find((group) => group.timezone === timezone) ?? defaults[0];
  if (found !== undefined) return { groupId: found.id };
  const [only, ...others] = candidates;
  if (only === undefined) return { none: 'NO_GROUP' };
  return others.length === 0 ? { groupId: only.id } : { none: 'SEVERAL_GROUPS' };
}
