// What the tests want of a git client, by isomorphic-git: VERB DIR [URL or FILE]. See peers_test.go.
import fs from "node:fs";
import git from "isomorphic-git";
import http from "isomorphic-git/http/node";

const [verb, dir, more] = process.argv.slice(2);
const whom = { name: "Petra Power", email: "petra@example.org" };
const onMessage = (text) => process.stderr.write(text);

switch (verb) {
  case "clone":
    await git.clone({ fs, http, dir, url: more, onMessage });
    break;
  case "commit":
    await git.add({ fs, dir, filepath: more });
    await git.commit({ fs, dir, message: more, author: whom });
    break;
  case "push":
  case "force":
    try {
      await git.push({ fs, http, dir, remote: "origin", ref: "main", force: verb === "force", onMessage });
    } catch (e) {
      console.error("refused:", e.code, e.message, JSON.stringify(e.data));
      process.exit(1);
    }
    break;
  case "follow":
    await git.fetch({ fs, http, dir, remote: "origin", ref: "main", onMessage });
    await git.writeRef({ fs, dir, ref: "refs/heads/main", value: await git.resolveRef({ fs, dir, ref: "origin/main" }), force: true });
    await git.checkout({ fs, dir, ref: "main", force: true });
}
console.log(await git.resolveRef({ fs, dir, ref: "HEAD" }));
