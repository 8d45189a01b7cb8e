# What the tests want of a git client, by dulwich: VERB DIR [URL or FILE]. See peers_test.go.
import io
import sys

from dulwich import porcelain
from dulwich.repo import Repo

verb, folder = sys.argv[1], sys.argv[2]
whom = b"Petra Power <petra@example.org>"
said = sys.stderr.buffer

if verb == "clone":
    porcelain.clone(sys.argv[3], folder, errstream=said)
elif verb == "commit":
    porcelain.add(folder, [folder + "/" + sys.argv[3]])
    porcelain.commit(folder, message=sys.argv[3].encode(), author=whom, committer=whom)
elif verb in ("push", "force"):
    report = io.BytesIO()
    try:
        porcelain.push(folder, "origin", "refs/heads/main", errstream=report, force=verb == "force")
    except (porcelain.Error, porcelain.DivergedBranches) as e:
        sys.exit("refused: %r" % e)
    finally:
        said.write(report.getvalue())
    if b"refs/heads/main failed" in report.getvalue():  # no exception tells that
        sys.exit("refused")
elif verb == "follow":
    porcelain.fetch(folder, "origin", errstream=said)
    repo = Repo(folder)
    repo.refs[b"refs/heads/main"] = repo.refs[b"refs/remotes/origin/main"]
    porcelain.reset(folder, "hard", "main")
print(Repo(folder).head().decode())
