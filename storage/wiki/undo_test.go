package wiki_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
)

// files are all files of a space with their bytes.
func files(t *testing.T, s *wiki.Space) map[page.Path]string {
	t.Helper()
	all := map[page.Path]string{}
	in := head(t, s)
	for p := range in.Names().All() {
		b, err := in.Read(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		all[p] = string(b)
	}
	delete(all, ".cairn.yml") // which a new wiki begins with
	return all
}

func same(a, b map[page.Path]string) bool {
	return fmt.Sprint(a) == fmt.Sprint(b) // maps print in order
}

// told is what a plan says that it does, in words.
func told(p *wiki.Plan) string {
	var all []string
	for _, f := range p.Files {
		one := fmt.Sprintf("%c %s", f.Kind, f.Path)
		if f.From != "" {
			one += " from " + string(f.From)
		}
		all = append(all, one)
	}
	for _, c := range p.Collided {
		all = append(all, fmt.Sprintf("%s %s", c.Why, c.Path))
	}
	return strings.Join(all, ", ")
}

func TestRestoreSpaceAndFolder(t *testing.T) {
	dir := t.TempDir()
	_, s := open(t, dir)
	save(t, s, "guide/One.md", "one\n", "")
	save(t, s, "guide/Two.md", "two\n", "")
	then := save(t, s, "Plans.md", "plans\n", "")
	was := files(t, s)
	save(t, s, "guide/One.md", "vandal\n", then.Rev)
	save(t, s, "guide/Spam.md", "spam\n", "")
	save(t, s, "Plans.md", "other plans\n", then.Rev)
	if _, err := s.Remove(t.Context(), bob, "guide/Two.md", "", ""); err != nil {
		t.Fatal(err)
	}
	seen := head(t, s).Rev()
	before := files(t, s)

	plan, err := s.PlanRestore(t.Context(), ann, wiki.Restoration{Path: "guide", Folder: true, Rev: string(then.Rev)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told(plan), "M guide/One.md, D guide/Spam.md, A guide/Two.md"; got != want {
		t.Errorf("of the folder: %s, want %s", got, want)
	}
	folder, err := s.Restore(t.Context(), ann, wiki.Restoration{Path: "guide", Folder: true, Rev: string(then.Rev), Seen: seen})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, "Plans.md"); got != "other plans\n" {
		t.Errorf("beside the folder there is %q", got)
	}

	// What was seen is no longer what is there.
	if _, err := s.Restore(t.Context(), ann, wiki.Restoration{Rev: string(then.Rev), Seen: seen}); !errors.Is(err, wiki.ErrChanged) {
		t.Errorf("a restore of what nobody has seen: %v", err)
	}
	all, err := s.Restore(t.Context(), ann, wiki.Restoration{Rev: string(then.Rev), Seen: folder.Rev})
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, s); !same(got, was) {
		t.Errorf("the space is %q, was %q", got, was)
	}
	if c, err := s.Commit(t.Context(), ann, string(all.Rev)); err != nil || !strings.HasPrefix(c.Note, "Restore all pages to ") || c.Author != "Ann" {
		t.Errorf("the commit is %+v, %v", c, err)
	}
	again, err := s.Restore(t.Context(), ann, wiki.Restoration{Rev: string(then.Rev), Seen: all.Rev})
	if err != nil || !again.Unchanged || again.Rev != all.Rev {
		t.Errorf("a restore to what there is: %+v, %v", again, err)
	}

	// Both are undone as any change is, newest first, whatever the order asked for.
	if _, err := s.Undo(t.Context(), bob, wiki.Undoing{Revs: []string{string(folder.Rev), string(all.Rev)}}); err != nil {
		t.Fatal(err)
	}
	if got := files(t, s); !same(got, before) {
		t.Errorf("undone, the space is %q, was %q", got, before)
	}
	git(t, filepath.Join(dir, "spaces", "wiki.git"), "", "fsck", "--strict")
}

func TestRestoreRefusals(t *testing.T) {
	_, s := open(t, t.TempDir())
	save(t, s, "x", "file\n", "")
	save(t, s, "y/Page.md", "1\n", "")
	first := save(t, s, "a/Page.md", "1\n", "")
	save(t, s, "b/Other.md", "2\n", "")
	remove(t, s, "x")
	remove(t, s, "y/Page.md")
	save(t, s, "x/Page.md", "1\n", "")
	save(t, s, "y", "file\n", "")
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "a/Page.md", To: "a/page.md"}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		r    wiki.Restoration
		want func(error) bool
	}{
		{"no such revision", wiki.Restoration{Rev: "0123456789"}, is(fs.ErrNotExist)},
		{"no revision", wiki.Restoration{}, is(fs.ErrNotExist)},
		{"folder not there then", wiki.Restoration{Path: "b", Folder: true, Rev: string(first.Rev)}, is(fs.ErrNotExist)},
		{"page not there then", wiki.Restoration{Path: "b/Other.md", Rev: string(first.Rev)}, is(fs.ErrNotExist)},
		{"a folder as a page", wiki.Restoration{Path: "a", Rev: string(first.Rev)}, is(fs.ErrNotExist)},
		{"a page as a folder", wiki.Restoration{Path: "a/Page.md", Folder: true, Rev: string(first.Rev)}, is(fs.ErrNotExist)},
		{"a file where there is a folder", wiki.Restoration{Path: "x", Rev: string(first.Rev)}, isNameError("")},
		{"a folder where there is a file", wiki.Restoration{Path: "y", Folder: true, Rev: string(first.Rev)}, isNameError("")},
		{"a twin", wiki.Restoration{Path: "a/Page.md", Rev: string(first.Rev)}, isNameError("a/page.md")},
		{"seen what never was", wiki.Restoration{Rev: string(first.Rev), Seen: "0123456789012345678901234567890123456789"}, is(wiki.ErrChanged)},
	} {
		before := head(t, s).Rev()
		if _, err := s.Restore(t.Context(), ann, test.r); err == nil || !test.want(err) {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, err := s.PlanRestore(t.Context(), ann, test.r); test.r.Seen == "" && (err == nil || !test.want(err)) {
			t.Errorf("plan, %s: %v", test.name, err)
		}
		if head(t, s).Rev() != before {
			t.Errorf("%s: something was saved", test.name)
		}
	}
	// The twin goes with the folder, so that it is not in the way; and a page may have had another name.
	if _, err := s.Restore(t.Context(), ann, wiki.Restoration{Path: "a", Folder: true, Rev: string(first.Rev)}); err != nil {
		t.Error(err)
	}
	save(t, s, "a/Page.md", "changed\n", head(t, s).Rev())
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "a/Page.md", To: "c/Moved.md"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restore(t.Context(), ann, wiki.Restoration{Path: "c/Moved.md", Was: "a/Page.md", Rev: string(first.Rev)}); err != nil {
		t.Error(err)
	}
	if got := read(t, s, "c/Moved.md"); got != "1\n" {
		t.Errorf("the moved page is %q", got)
	}
}

// reader may read and write nothing; half may write in one folder.
type reader struct{ accounts.User }

func (reader) CanWrite(string, page.Path) bool { return false }

type stranger struct{ accounts.User }

func (stranger) CanRead(string) bool { return false }

type half struct{ accounts.User }

func (half) CanWrite(_ string, p page.Path) bool { return strings.HasPrefix(string(p), "mine/") }

func TestWhoMayTakeBack(t *testing.T) {
	_, s := open(t, t.TempDir())
	then := save(t, s, "mine/A.md", "1\n", "")
	save(t, s, "theirs/B.md", "1\n", "")
	rev := string(save(t, s, "mine/A.md", "2\n", then.Rev).Rev)
	for _, test := range []struct {
		who  wiki.Actor
		want error
	}{{reader{}, fs.ErrPermission}, {stranger{}, fs.ErrNotExist}, {half{}, fs.ErrPermission}} {
		_, err := s.Restore(t.Context(), test.who, wiki.Restoration{Rev: string(then.Rev)})
		if !errors.Is(err, test.want) {
			t.Errorf("%T restores: %v", test.who, err)
		}
		if _, err := s.Undo(t.Context(), test.who, wiki.Undoing{Revs: []string{rev}}); test.who != (half{}) && !errors.Is(err, test.want) {
			t.Errorf("%T undoes: %v", test.who, err)
		}
	}
	if got := read(t, s, "theirs/B.md") + read(t, s, "mine/A.md"); got != "1\n1\n" {
		t.Errorf("there is %q", got)
	}
}

func TestUndo(t *testing.T) {
	const text = "a\n\nb\n\nc\n\nd\n"
	edit := func(from, to string) string { return strings.Replace(text, from, to, 1) }
	for _, test := range []struct {
		name string
		do   func(t *testing.T, s *wiki.Space) wiki.Undoing
		want string               // the plan
		left map[page.Path]string // what there is after it; nil when nothing may be written
	}{
		{"the newest", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			return wiki.Undoing{Revs: revs(save(t, s, "P.md", edit("b", "B"), head(t, s).Rev()))}
		}, "M P.md", map[page.Path]string{"P.md": text}},
		{"under a later edit", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := save(t, s, "P.md", edit("b", "B"), head(t, s).Rev())
			save(t, s, "P.md", "a\n\nB\n\nc\n\nD\n", bad.Rev)
			return wiki.Undoing{Revs: revs(bad)}
		}, "M P.md", map[page.Path]string{"P.md": edit("d", "D")}},
		{"the same lines", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := save(t, s, "P.md", edit("b", "B"), head(t, s).Rev())
			save(t, s, "P.md", edit("b", "BB"), bad.Rev)
			return wiki.Undoing{Revs: revs(bad)}
		}, "changed P.md", nil},
		{"a new page", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			return wiki.Undoing{Revs: revs(save(t, s, "P.md", text, ""))}
		}, "D P.md", map[page.Path]string{}},
		{"a new page, changed since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			bad := save(t, s, "P.md", text, "")
			save(t, s, "P.md", edit("b", "B"), bad.Rev)
			return wiki.Undoing{Revs: revs(bad)}
		}, "changed P.md", nil},
		{"a new page, gone since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			bad := save(t, s, "P.md", text, "")
			remove(t, s, "P.md")
			return wiki.Undoing{Revs: revs(bad)}
		}, "", nil},
		{"a change of a page that is gone", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := save(t, s, "P.md", edit("b", "B"), head(t, s).Rev())
			remove(t, s, "P.md")
			return wiki.Undoing{Revs: revs(bad)}
		}, "gone P.md", nil},
		{"a deletion", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			return wiki.Undoing{Revs: revs(remove(t, s, "P.md"))}
		}, "A P.md", map[page.Path]string{"P.md": text}},
		{"a deletion, written anew since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := remove(t, s, "P.md")
			save(t, s, "P.md", "new\n", "")
			return wiki.Undoing{Revs: revs(bad)}
		}, "taken P.md", nil},
		{"a deletion, with a twin since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := remove(t, s, "P.md")
			save(t, s, "p.md", "new\n", "")
			return wiki.Undoing{Revs: revs(bad)}
		}, "taken P.md", nil},
		{"a deletion, with a folder of its name since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "data", text, "")
			bad := remove(t, s, "data")
			save(t, s, "data/P.md", "new\n", "")
			return wiki.Undoing{Revs: revs(bad)}
		}, "folder data", nil},
		{"a deletion, with a folder of its name that goes as well", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "data", text, "")
			bad := remove(t, s, "data")
			return wiki.Undoing{Revs: revs(bad, save(t, s, "data/P.md", "new\n", ""))}
		}, "A data, D data/P.md", map[page.Path]string{"data": text}},
		{"a deletion, with a file of its folder's name since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "data/deep/P.md", text, "")
			bad := remove(t, s, "data/deep/P.md")
			save(t, s, "data", "new\n", "")
			return wiki.Undoing{Revs: revs(bad)}
		}, "file data/deep/P.md", nil},
		{"deletions of a file and of what was in a folder of its name", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "data", text, "")
			bad := remove(t, s, "data")
			save(t, s, "data/P.md", "new\n", "")
			return wiki.Undoing{Revs: revs(bad, remove(t, s, "data/P.md")), Others: true}
		}, "A data, file data/P.md", map[page.Path]string{"data": text}},
		{"a move whose old name is a folder", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "data", text, "")
			bad := move(t, s, "data", "other")
			save(t, s, "data/P.md", "new\n", "")
			return wiki.Undoing{Revs: revs(bad)}
		}, "folder data, folder other", nil},
		{"a move", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			return wiki.Undoing{Revs: revs(move(t, s, "P.md", "Q.md"))}
		}, "R P.md from Q.md", map[page.Path]string{"P.md": text}},
		{"a move, changed since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := move(t, s, "P.md", "Q.md")
			save(t, s, "Q.md", edit("c", "C"), bad.Rev)
			return wiki.Undoing{Revs: revs(bad)}
		}, "R P.md from Q.md", map[page.Path]string{"P.md": edit("c", "C")}},
		{"a move that was taken back by hand", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := move(t, s, "P.md", "Q.md")
			move(t, s, "Q.md", "P.md")
			if plan, err := s.PlanUndo(t.Context(), bob, wiki.Undoing{Revs: revs(bad)}); err != nil || len(plan.Missing) > 0 {
				t.Errorf("where is %v? %v", plan.Missing, err)
			}
			return wiki.Undoing{Revs: revs(bad)}
		}, "", nil},
		{"a move whose old name is taken", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := move(t, s, "P.md", "Q.md")
			save(t, s, "P.md", "new\n", "")
			return wiki.Undoing{Revs: revs(bad)}
		}, "taken P.md", nil},
		{"a change before a move that the asker knows", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := save(t, s, "P.md", edit("b", "B"), head(t, s).Rev())
			move(t, s, "P.md", "Q.md")
			return wiki.Undoing{Revs: revs(bad), Now: map[page.Path]page.Path{"P.md": "Q.md"}}
		}, "M Q.md", map[page.Path]string{"Q.md": text}},
		{"a new page before a move that the asker knows", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			bad := save(t, s, "P.md", text, "")
			move(t, s, "P.md", "Q.md")
			if plan, err := s.PlanUndo(t.Context(), bob, wiki.Undoing{Revs: revs(bad)}); err != nil || !slices.Equal(plan.Missing, []page.Path{"P.md"}) {
				t.Errorf("where is %v? %v", plan.Missing, err)
			}
			return wiki.Undoing{Revs: revs(bad), Now: map[page.Path]page.Path{"P.md": "Q.md"}}
		}, "D Q.md", map[page.Path]string{}},
		{"a new page, moved and changed since", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			bad := save(t, s, "P.md", text, "")
			save(t, s, "Q.md", edit("b", "B"), move(t, s, "P.md", "Q.md").Rev)
			return wiki.Undoing{Revs: revs(bad), Now: map[page.Path]page.Path{"P.md": "Q.md"}}
		}, "changed Q.md", nil},
		{"a change and its move", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			bad := save(t, s, "P.md", edit("b", "B"), head(t, s).Rev())
			return wiki.Undoing{Revs: revs(bad, move(t, s, "P.md", "Q.md"))}
		}, "R P.md from Q.md", map[page.Path]string{"P.md": text}},
		{"a file without lines", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "x.png", "\x00a", "")
			bad := save(t, s, "x.png", "\x00b", head(t, s).Rev())
			save(t, s, "x.png", "\x00c", bad.Rev)
			return wiki.Undoing{Revs: revs(bad)}
		}, "changed x.png", nil},
		{"some of several", func(t *testing.T, s *wiki.Space) wiki.Undoing {
			save(t, s, "P.md", text, "")
			save(t, s, "Q.md", text, "")
			then := head(t, s).Rev()
			save(t, s, "P.md", edit("b", "B"), then)
			bad, err := s.Restore(t.Context(), ann, wiki.Restoration{Rev: string(save(t, s, "Q.md", edit("b", "B"), then).Rev)})
			if err != nil || !bad.Unchanged {
				t.Fatal(bad, err)
			}
			both, err := s.Restore(t.Context(), ann, wiki.Restoration{Rev: string(then)})
			if err != nil {
				t.Fatal(err)
			}
			save(t, s, "Q.md", edit("b", "other"), both.Rev)
			return wiki.Undoing{Revs: revs(both), Others: true}
		}, "M P.md, changed Q.md", map[page.Path]string{"P.md": edit("b", "B"), "Q.md": edit("b", "other")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, s := open(t, t.TempDir())
			remove(t, s, "Home.md")
			u := test.do(t, s)
			before := head(t, s).Rev()
			plan, err := s.PlanUndo(t.Context(), bob, u)
			if err != nil {
				t.Fatal(err)
			}
			if got := told(plan); got != test.want {
				t.Errorf("plan: %s, want %s", got, test.want)
			}
			saved, err := s.Undo(t.Context(), bob, u)
			if test.left == nil {
				var c *wiki.Collided
				if test.want == "" && !errors.Is(err, wiki.ErrNothing) || test.want != "" && !errors.As(err, &c) {
					t.Errorf("undone: %v", err)
				}
				if head(t, s).Rev() != before {
					t.Error("something was written")
				}
				return
			}
			if err != nil || saved.Rev != head(t, s).Rev() {
				t.Fatalf("%+v, %v", saved, err)
			}
			if got := files(t, s); !same(got, test.left) {
				t.Errorf("left is %q, want %q", got, test.left)
			}
			if c, err := s.Commit(t.Context(), ann, string(saved.Rev)); err != nil || c.Author != "Bob" || !strings.HasPrefix(c.Note, "Undo ") || c.Parents[0] != before {
				t.Errorf("the commit is %+v, %v", c, err)
			}
		})
	}
}

func git(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=A", "-c", "user.email=a@x"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return string(out)
}

func revs(all ...wiki.Saved) []string {
	var out []string
	for _, s := range all {
		out = append(out, string(s.Rev))
	}
	return out
}

func remove(t *testing.T, s *wiki.Space, p page.Path) wiki.Saved {
	t.Helper()
	saved, err := s.Remove(t.Context(), ann, p, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func move(t *testing.T, s *wiki.Space, from, to page.Path) wiki.Saved {
	t.Helper()
	saved, err := s.Move(t.Context(), ann, wiki.Moving{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// Whatever happened last is undone to what was before it, to the byte; all that happened, to what was at the beginning;
// and an undo is undone.
func TestUndoAnything(t *testing.T) {
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		r := rand.New(rand.NewPCG(uint64(round), 7))
		_, s := open(t, t.TempDir())
		names := []page.Path{"A.md", "B.md", "d/C.md", "d/D.md", "e.txt"}
		states := []map[page.Path]string{files(t, s)}
		var all []string
		for len(all) < 40 {
			in := head(t, s)
			p, q := names[r.IntN(len(names))], names[r.IntN(len(names))]
			var saved wiki.Saved
			var err error
			switch r.IntN(6) {
			case 0:
				saved, err = s.Remove(t.Context(), ann, p, "", "")
			case 1:
				saved, err = s.Move(t.Context(), ann, wiki.Moving{From: p, To: q})
			case 2:
				if len(all) > 0 {
					saved, err = s.Restore(t.Context(), ann, wiki.Restoration{Rev: all[r.IntN(len(all))]})
				}
			default:
				lines := strings.Split("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "\n")
				if b, err := in.Read(t.Context(), p); err == nil {
					lines = strings.Split(string(b), "\n")
				}
				lines[r.IntN(len(lines)-1)] = fmt.Sprint("line ", len(all))
				saved, err = s.Save(t.Context(), ann, wiki.Edit{Path: p, Text: []byte(strings.Join(lines, "\n")), Base: in.Rev()})
			}
			if err != nil || saved.Rev == "" || saved.Rev == in.Rev() {
				continue // there was no such file, or one too many
			}
			all, states = append(all, string(saved.Rev)), append(states, files(t, s))
		}
		undone, err := s.Undo(t.Context(), bob, wiki.Undoing{Revs: all[39:]})
		if err != nil || !same(files(t, s), states[39]) {
			t.Errorf("round %d: undoing the last: %v, %q, want %q", round, err, files(t, s), states[39])
		}
		if _, err := s.Undo(t.Context(), bob, wiki.Undoing{Revs: revs(undone)}); err != nil || !same(files(t, s), states[40]) {
			t.Errorf("round %d: undoing the undo: %v", round, err)
		}
		for _, from := range []int{30, 0} {
			some := slices.Clone(all[from:])
			r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			plan, err := s.PlanUndo(t.Context(), bob, wiki.Undoing{Revs: some})
			if err != nil || len(plan.Collided) > 0 {
				t.Fatalf("round %d: from %d: %v, %s", round, from, err, told(plan))
			}
			saved, err := s.Undo(t.Context(), bob, wiki.Undoing{Revs: some})
			if err != nil || !same(files(t, s), states[from]) {
				t.Errorf("round %d: undoing all from %d: %v, %q, want %q", round, from, err, files(t, s), states[from])
			}
			if _, err := s.Undo(t.Context(), bob, wiki.Undoing{Revs: revs(saved)}); err != nil || !same(files(t, s), states[40]) {
				t.Fatalf("round %d: undoing that: %v", round, err)
			}
		}
	}
}

// What the wiki does not serve is neither in the way nor touched, and a merge is not undone.
func TestUndoWhatGitBrought(t *testing.T) {
	dir := t.TempDir()
	work := filepath.Join(dir, "work")
	git(t, dir, "", "init", "-q", "-b", "main", work)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(note string) string {
		t.Helper()
		git(t, work, "", "add", "-A")
		git(t, work, "", "commit", "-qm", note)
		return strings.TrimSpace(git(t, work, "", "rev-parse", "HEAD"))
	}
	write("a.md", "1\n")
	write("turns", "a file\n")
	first := commit("first")
	os.Remove(filepath.Join(work, "turns"))
	for _, name := range []string{"link", "turns"} {
		if err := os.Symlink("a.md", filepath.Join(work, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("a.md", "2\n")
	second := commit("links")
	git(t, work, "", "checkout", "-qb", "side", first)
	write("b.md", "b\n")
	commit("side")
	git(t, work, "", "checkout", "-q", "main")
	git(t, work, "", "merge", "-q", "--no-edit", "side")
	merge := strings.TrimSpace(git(t, work, "", "rev-parse", "HEAD"))
	data := filepath.Join(dir, "data")
	if _, err := wiki.Import(t.Context(), data, "old", work, ann, io.Discard, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
		t.Fatal(err)
	}
	w, _ := open(t, data)
	s, err := w.Space(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Undo(t.Context(), ann, wiki.Undoing{Revs: []string{merge}}); !errors.Is(err, wiki.ErrMerge) {
		t.Errorf("undo of a merge: %v", err)
	}
	plan, err := s.PlanUndo(t.Context(), ann, wiki.Undoing{Revs: []string{second}})
	if err != nil || told(plan) != "M a.md" {
		t.Errorf("undo: %v, %s", err, told(plan))
	}
	if _, err := s.Undo(t.Context(), ann, wiki.Undoing{Revs: []string{second}}); err != nil {
		t.Error(err)
	}
	saved, err := s.Restore(t.Context(), ann, wiki.Restoration{Rev: first})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(git(t, filepath.Join(data, "spaces", "old.git"), "", "ls-tree", "--name-only", string(saved.Rev))); got != "a.md\nlink\nturns" {
		t.Errorf("left is %q", got)
	}
	// The first commit of all can be undone, too.
	if plan, err := s.PlanUndo(t.Context(), ann, wiki.Undoing{Revs: []string{first}}); err != nil || told(plan) != "D a.md" {
		t.Errorf("undo of the first: %v, %s", err, told(plan))
	}
}

// No commits of strangers make a merge; a whole space of many pages goes back without a page being read.
func TestRestoreManyPages(t *testing.T) {
	const pages = 2000
	dir := t.TempDir()
	var in strings.Builder
	in.WriteString("commit refs/heads/main\ncommitter A <a@x> 1700000000 +0000\ndata 1\nx\n")
	for i := range pages {
		fmt.Fprintf(&in, "M 644 inline d%d/p%d.md\ndata 5\np%04d\n", i%40, i, i)
	}
	in.WriteString("commit refs/heads/main\ncommitter A <a@x> 1700000001 +0000\ndata 1\ny\n")
	for i := range pages {
		fmt.Fprintf(&in, "M 644 inline d%d/p%d.md\ndata 5\nq%04d\n", i%40, i, i)
	}
	work := filepath.Join(dir, "work.git")
	git(t, dir, "", "init", "-q", "--bare", "-b", "main", work)
	git(t, work, in.String(), "fast-import", "--quiet")
	data := filepath.Join(dir, "data")
	if _, err := wiki.Import(t.Context(), data, "old", work, ann, io.Discard, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
		t.Fatal(err)
	}
	w, _ := open(t, data)
	s, err := w.Space(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	first := strings.TrimSpace(git(t, work, "", "rev-parse", "main~1"))
	plan, err := s.PlanRestore(t.Context(), ann, wiki.Restoration{Rev: first})
	if err != nil || len(plan.Files) != pages {
		t.Fatal(err)
	}
	saved, err := s.Restore(t.Context(), ann, wiki.Restoration{Rev: first})
	if err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(data, "spaces", "old.git")
	if a, b := git(t, back, "", "rev-parse", first+"^{tree}"), git(t, back, "", "rev-parse", string(saved.Rev)+"^{tree}"); a != b {
		t.Errorf("the tree is %s, was %s", b, a)
	}
}

// Whoever has no time left gets no plan, be it ever so small.
func TestPlansEndInTime(t *testing.T) {
	_, s := open(t, t.TempDir())
	first := save(t, s, "a/P.md", "1\n", "")
	bad := save(t, s, "a/P.md", "2\n", first.Rev)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	undo := wiki.Undoing{Revs: revs(bad)}
	back := wiki.Restoration{Path: "a", Folder: true, Rev: string(first.Rev)}
	for _, want := range []error{nil, context.Canceled} { // first so that all is in memory
		if _, err := s.PlanUndo(ctx, ann, undo); !errors.Is(err, want) {
			t.Errorf("plan of an undo: %v, want %v", err, want)
		}
		if _, err := s.PlanRestore(ctx, ann, back); !errors.Is(err, want) {
			t.Errorf("plan of a restore: %v, want %v", err, want)
		}
		cancel()
	}
	before := head(t, s).Rev()
	if _, err := s.Undo(ctx, ann, undo); !errors.Is(err, context.Canceled) {
		t.Errorf("undo: %v", err)
	}
	if _, err := s.Restore(ctx, ann, back); !errors.Is(err, context.Canceled) || head(t, s).Rev() != before {
		t.Errorf("restore: %v", err)
	}
}
