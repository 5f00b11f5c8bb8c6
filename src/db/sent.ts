/** What a caller sent of a change: fields that are undefined were not. */
export const onlySent = <T extends object>(change: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as never;

/** An object whose fields may also be undefined, as a parsed request body has them. */
export type Sent<T> = { readonly [K in keyof T]?: T[K] | undefined };
