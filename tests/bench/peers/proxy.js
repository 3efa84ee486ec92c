// A plain reverse proxy on @fastify/http-proxy: `node proxy.js PORT UPSTREAM_PORT`.
import fastify from "fastify";
import proxy from "@fastify/http-proxy";

const [port, upstream] = process.argv.slice(2);
const server = fastify({ logger: false });
server.get("/healthz", async () => ({ status: "ok" }));
server.register(proxy, {
  upstream: `http://127.0.0.1:${upstream}`,
  prefix: "/proxied",
  rewritePrefix: "",
});
await server.listen({ port: Number(port), host: "127.0.0.1" });
