// A fleet worth looking at, made through the API as an operator's script would.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./stage.js";

const run = promisify(execFile);

const PLACES = [
  ["ams-1", "NL"], ["buh-1", "RO"], ["fra-1", "DE"], ["fra-2", "DE"], ["hel-1", "FI"], ["hel-2", "FI"], ["mad-1", "ES"],
  ["nyc-1", "US"], ["par-1", "FR"], ["rkv-1", "IS"], ["sin-1", "SG"], ["sto-1", "SE"], ["zrh-1", "CH"], ["zrh-2", "CH"],
];

export class Script {
  static async of(stage) {
    const script = new Script();
    script.stage = stage;
    script.credentials = join(stage.folder, "credentials");
    const made = await run(process.env.WGFLEET_BIN, ["api-keys", "create", "script", "--scope", "admin", "--local", "--config", stage.config]);
    await writeFile(script.credentials, made.stdout, { mode: 0o600 });
    return script;
  }

  async ask(method, target, body) {
    const args = ["api", method, `/api/v1${target}`, "--credentials", this.credentials, "--url", this.stage.url];
    if (body !== undefined) {
      const file = join(this.stage.folder, "body.json");
      await writeFile(file, JSON.stringify(body));
      args.push("--body-file", file);
    }
    const { stdout } = await run(process.env.WGFLEET_BIN, args, { maxBuffer: 64 << 20 });
    return stdout.trim() ? JSON.parse(stdout) : null;
  }

  // Networks, pools, nodes of the simulator, and the peers that these have already.
  async furnish(nodes) {
    await this.ask("POST", "/networks", { name: "home", cidr_v4: "10.0.0.0/8", cidr_v6: "fd00:66::/48" });
    for (const [number, [name, country]] of PLACES.slice(0, nodes).entries()) {
      const { url, secret } = this.stage.nodes[number];
      await this.ask("POST", "/nodes", {
        name, agent_url: url, secret, country, weight: 50 + 10 * number, max_peers: 60,
        interface: { name: "wg0", network: "home", endpoint: `${name}.example.org:51820` },
      });
    }
    await this.ask("POST", "/pools", { name: "balanced", members: Array.from({ length: nodes }, (_, at) => at + 1) });
    await this.ask("POST", "/pools", { name: "sanctuary", members: [Math.min(3, nodes), nodes] });
    const online = async () => { const { nodes: all } = await this.ask("GET", "/status"); return all.online === nodes; };
    await until("all nodes are online", online);
    for (let node = 1; node < nodes; node += 1) {
      await until("its peers are seen", async () => (await this.ask("GET", `/interfaces/${node}/unknown`)).items?.length > 0).catch(() => null);
      await this.ask("POST", `/interfaces/${node}/adoptions`, {}).catch(() => null);
    }
    const names = ["laptop-ops", "phone-field", "kiosk-press", "site-lyon-gw", "tablet-lab"];
    for (const [at, name] of names.entries()) {
      await this.ask("POST", "/peers", { network: "home", name, pool: at % 2 ? "balanced" : "sanctuary", tags: [name.split("-")[0]] });
    }
    await this.ask("POST", "/users", { name: "grace", role: "operator" });
    await this.ask("POST", "/interfaces/1/plans", {});
  }
}
