/** The path under which the server lives, such as `/podgate`; empty for the root. */
export const base = document.querySelector<HTMLMetaElement>('meta[name="base"]')?.content ?? '';
