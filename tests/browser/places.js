// Every page that a browser is shown, on the fleet that `furnish` makes of three nodes or more. This is the one list:
// what holds for every page is tried on these, and `pages.test.js` holds them against the routes of the controller.

// For whoever is signed in.
export const PAGES = [
  "/", "/search?q=ops", "/topology", "/settings", "/about", "/profile",
  "/nodes", "/nodes/new", "/nodes/1", "/nodes/3", "/nodes/1/edit", "/nodes/1/traffic", "/nodes/1/secret", "/nodes/1/delete",
  "/nodes/1/interfaces/new", "/interfaces/1/edit", "/interfaces/1/delete", "/interfaces/3/removals/new", "/plans/1",
  "/networks", "/networks/new", "/networks/1", "/networks/1/edit", "/networks/1/delete",
  "/pools", "/pools/new", "/pools/1", "/pools/1/edit", "/pools/1/delete", "/pools/1/members/1/remove",
  "/peers", "/peers/new", "/peers/import", "/peers/1", "/peers/1/edit", "/peers/1/config", "/peers/1/traffic", "/peers/1/sessions", "/peers/1/move",
  "/peers/1/delete",
  "/audit", "/audit/chain", "/users", "/users/new", "/users/1", "/users/2/recover", "/users/2/delete",
  "/api-keys", "/api-keys/new", "/api-keys/1/revoke",
];

// Lists that a filter leaves empty.
export const EMPTY = ["/nodes?q=nowhere", "/peers?q=nobody", "/audit?object=nothing", "/search?q=nothing-at-all"];

// For strangers. `/setup` is theirs too, once and with the token that the start prints.
export const OUTSIDE = ["/login"];

// What answers a GET and is no page, and the pages that somebody comes to only on their way somewhere.
export const NO_PAGES = [
  "/static/{tag}/{name:.+}", "/events", "/audit/export",
  // Parts of pages, which keep themselves fresh.
  "/search/found", "/nodes/rows", "/nodes/{id}/board", "/peers/rows", "/peers/{id:\\d+}/stale",
  // The interface's page is its node's.
  "/interfaces/{id}",
  // Made by others, with a look and keys of its own.
  "/api/docs",
  "/setup", "/login/code", "/login/oidc", "/login/oidc/callback",
];

// Whether a pattern of the router is that of an address.
export function fits(pattern, path) {
  const parts = pattern.split("/").map((part) => part.startsWith("{") ? "[^/]+" : part.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("/")}$`).test(path.split("?")[0]);
}
