import type { components } from './schema';

type Schemas = components['schemas'];

export type User = Schemas['User'];
/** The caller's account, with the times at which its token and its session end. */
export type Account = Schemas['Account'];
export type Login = Schemas['Session'];
