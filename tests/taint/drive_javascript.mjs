// Calls every handler of the servers it is told about and prints which lines gave data to the shell.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { AsyncLocalStorage } from "node:async_hooks";

const SIGN = /€|\\u20ac/;
const INPUTS = ["€€€€€€", "a €,X€\n€ {€}"];
const current = new AsyncLocalStorage();
let seen = new Set();
let folder = "";

Error.stackTraceLimit = 30;
function record(command) {
    let text = "";
    try {
        text = String(command) + (JSON.stringify(command) ?? "");
    } catch {}
    if (!SIGN.test(text)) return "";
    const had = Error.prepareStackTrace;
    Error.prepareStackTrace = (_error, sites) => sites;
    const sites = new Error().stack;
    Error.prepareStackTrace = had;
    const site = sites.find((s) => (s.getFileName() ?? "").includes(folder));
    if (site && current.getStore()) {
        const file = site.getFileName().split("/").pop().replace("?", "");
        seen.add(JSON.stringify([current.getStore(), file, site.getLineNumber()]));
    }
    return "";
}
let turns = 0;
globalThis.__record = record;
globalThis.__turn = () => {
    if (++turns > 2000) throw new Error("runs for ever");
};
process.on("unhandledRejection", () => {});
process.on("uncaughtException", () => {});

const soon = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
for (const name of JSON.parse(readFileSync(0, "utf8"))) {
    folder = name;
    seen = new Set();
    const kept = (globalThis.__kept = []);
    let failure = "";
    try {
        await import(pathToFileURL(name + "/server.mjs").href);
    } catch (error) {
        failure = String(error);
    }
    for (const input of INPUTS) {
        for (const [handler, call] of kept) {
            turns = 0;
            try {
                await current.run(handler, () => Promise.race([call({ text: input }), soon(300)]));
            } catch {}
        }
        await soon(2);
    }
    console.log(JSON.stringify({ failure, seen: [...seen].map((s) => JSON.parse(s)) }));
}
process.exit(0);
