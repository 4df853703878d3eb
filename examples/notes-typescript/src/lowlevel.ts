// The same notes behind the low-level server, which checks no arguments. Vulnerable on purpose.

import { exec } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";

import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const ROOT = "/srv/notes";
const run = promisify(exec);

const server = new Server({ name: "notes", version: "1.0.0" }, { capabilities: { tools: {} } });

server.setRequestHandler(CallToolRequestSchema, async (request) => {
  const args = request.params.arguments ?? {};
  switch (request.params.name) {
    case "count_words": {
      const { stdout } = await run(`wc -w ${args.name}`, { cwd: ROOT });
      return { content: [{ type: "text", text: stdout }] };
    }
    case "write_note": {
      const target = resolve(ROOT, String(args.name));
      await writeFile(target, String(args.text));
      return { content: [{ type: "text", text: "written" }] };
    }
    case "list_days": {
      const days = Number(args.days);
      const { stdout } = await run(`find . -mtime -${days}`, { cwd: ROOT });
      return { content: [{ type: "text", text: stdout }] };
    }
    default:
      throw new Error("unknown tool");
  }
});

await server.connect(new StdioServerTransport());
