// The id of one change, from Docker's event to nginx: the same wherever it is worked out. Pure.

/**
 * Which change of a container it is: the container, and the moment that the registrator decided it (`since` in status
 * and registration, in ms since 1970). Undefined where one of them is not known. docs/logs.md says who logs it.
 */
export function changeId(containerId: string, since: string | undefined): string | undefined {
  const at = Date.parse(since ?? "");
  if (containerId === "" || Number.isNaN(at)) return undefined;
  return `${containerId.slice(0, 12)}-${at}`;
}
