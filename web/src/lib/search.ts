/** The query of an address: texts, nothing guessed from them, and what is there twice stays so. */
export type Search = Record<string, string | string[]>;

export function parseSearch(text: string): Search {
  const query = new URLSearchParams(text);
  const values = (name: string) => {
    const all = query.getAll(name);
    return all.length === 1 ? (all[0] ?? '') : all;
  };
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, values(name)]));
}

export function stringifySearch(search: Search): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of [value].flat()) if (one !== undefined) query.append(name, one);
  }
  return query.size === 0 ? '' : `?${query}`;
}
