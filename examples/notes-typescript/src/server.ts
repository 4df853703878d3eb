// A server that keeps notes and fetches pages for them. Vulnerable on purpose.

import { execSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";

import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

import { fetchPage } from "./pages.js";

const ROOT = "/srv/notes";

const server = new McpServer({ name: "notes", version: "1.0.0" });

server.registerTool("read_note", { inputSchema: { name: z.string() } }, async ({ name }) => {
  const text = await readFile(path.join(ROOT, name), "utf8");
  return { content: [{ type: "text", text }] };
});

server.registerTool(
  "history",
  { inputSchema: { name: z.string(), days: z.number() } },
  async ({ name, days }) => {
    const log = execSync(`git log --since=${days}.days -- "${name}"`, { cwd: ROOT });
    return { content: [{ type: "text", text: log.toString() }] };
  },
);

server.registerTool("clip_page", { inputSchema: { url: z.string() } }, async ({ url }) => {
  return { content: [{ type: "text", text: await fetchPage(url) }] };
});

server.registerTool("delete_note", { inputSchema: { name: z.string() } }, async ({ name }) => {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new Error("a name has letters, digits and dashes");
  }
  await rm(path.join(ROOT, name));
  return { content: [{ type: "text", text: "removed" }] };
});

await server.connect(new StdioServerTransport());
