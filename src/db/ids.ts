import { monotonicFactory, ulid } from 'ulid';

const next = monotonicFactory();

/** One prefix per concept, so that an id read in a log says what it is. */
export type IdPrefix =
  | 'ten'
  | 'key'
  | 'ent'
  | 'cus'
  | 'con'
  | 'clk'
  | 'pln'
  | 'prc'
  | 'sub'
  | 'itm'
  | 'grp'
  | 'run'
  | 'chg'
  | 'clm'
  | 'inv'
  | 'lin'
  | 'pay'
  | 'cpn'
  | 'red'
  | 'crd'
  | 'tax'
  | 'led'
  | 'aud'
  | 'out'
  | 'req';

/** A new id such as `cus_01JD…`: opaque, and in the order of creation within one process. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${next()}`;

/**
 * What the ids of one statement's rows begin with; six hexadecimal digits that count the rows end them. Drawn by itself: ids of
 * one millisecond in order of creation differ only in their ends.
 */
export const newIdStem = (prefix: IdPrefix): string => `${prefix}_${ulid().slice(0, -6)}`;
