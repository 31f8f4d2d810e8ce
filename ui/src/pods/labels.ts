import { requirements } from './searchText';

/** Returns the values of a label that a selector lets through; `""` stands for pods without the label. */
export function choiceOf(selector: string, key: string): string[] {
  for (const requirement of requirements(selector)) {
    if (requirement === `!${key}`) return [''];
    const equal = /^([^=!\s]+)\s*==?\s*(.*)$/.exec(requirement);
    if (equal?.[1] === key) return [equal[2] ?? ''];
    const among = /^(\S+)\s+in\s+\(([^)]*)\)$/.exec(requirement);
    if (among?.[1] === key) return (among[2] ?? '').split(',').map((value) => value.trim());
  }
  return [];
}

/**
 * Returns a selector that lets through some values of a label, in place of what it said of that label
 * before. A pod without the label can't be asked for together with values, so it counts alone.
 */
export function withChoice(selector: string, key: string, chosen: readonly string[]): string {
  const others = requirements(selector).filter((requirement) => choiceOf(requirement, key).length === 0);
  const values = chosen.filter((value) => value !== '');
  const [first] = values;
  if (values.length > 1) others.push(`${key} in (${values.join(', ')})`);
  else if (first !== undefined) others.push(`${key}=${first}`);
  else if (chosen.length > 0) others.push(`!${key}`);
  return others.join(',');
}
