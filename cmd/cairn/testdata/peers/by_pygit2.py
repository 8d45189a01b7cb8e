# What the tests want of a git client, by pygit2 (libgit2): VERB DIR [URL or FILE]. See peers_test.go.
import sys
import pygit2


class Said(pygit2.RemoteCallbacks):
    refused = False

    def sideband_progress(self, text):
        sys.stderr.write(text)

    def push_update_reference(self, ref, why):
        if why:
            self.refused = True
            sys.stderr.write("%s: %s\n" % (ref, why))


verb, folder = sys.argv[1], sys.argv[2]
whom = pygit2.Signature("Petra Power", "petra@example.org")
said = Said()

if verb == "clone":
    pygit2.clone_repository(sys.argv[3], folder, callbacks=said)
repo = pygit2.Repository(folder)
if verb == "commit":
    repo.index.add(sys.argv[3])
    repo.index.write()
    repo.create_commit("HEAD", whom, whom, sys.argv[3], repo.index.write_tree(), [repo.head.target])
elif verb in ("push", "force"):
    try:
        repo.remotes["origin"].push(["+" * (verb == "force") + "refs/heads/main"], callbacks=said)
    except pygit2.GitError as e:
        sys.exit("refused: %r" % e)
    if said.refused:
        sys.exit("refused")
elif verb == "follow":
    repo.remotes["origin"].fetch(callbacks=said)
    repo.reset(repo.references["refs/remotes/origin/main"].target, pygit2.GIT_RESET_HARD)
print(repo.head.target)
