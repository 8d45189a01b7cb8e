// Package search makes pages be found: by their words, by what links to them, by what happened to them. It follows the
// log of each space and keeps what it derives in two stores, which may be deleted at any time: that costs the time to
// build them again, never truth. No write reads them.
//
// The nouns:
//
//   - An [Index] is the stores of one data folder. [Index.Run] keeps them following; the other methods ask.
//   - A store's position is the revision that it has reached in a space. It is written in the same batch as the last of
//     what it stands for; each batch before that says what the store is on the way to. What was cut short is done again
//     from its beginning to its end, before anything newer. [Index.Status] shows the positions.
//   - A reader passes the snapshot that it shows. Each method waits until the store has reached it, 300 ms at most; not at
//     all for a store that is being built from nothing, and not for what somebody has waited for in vain since the store
//     moved last. Then it answers with what there is. [Result], [History] and [Recent] say so in Behind; what the others
//     miss, the next look has.
//   - A store that is damaged is begun anew, by whoever follows it or finds it so; each is read through once after it was
//     opened. A question that panics is an error of that question; it is damage when the store cannot be read without the
//     question either, or when it happens again.
//   - While a store cannot be written, or not be made at all, there is none: what is asked is empty and Behind, and another
//     attempt is made every ten seconds. No trouble of a store ends the process or keeps it from starting.
//   - The words are one Bleve index for all spaces; the snapshots passed to [Index.Find] decide which of them are asked.
//   - The log has the commits, what they did to each page, and the links and tags of the pages as they are now.
//
// The package does not judge who may read: it answers about the snapshots it is given, which only those get who may.
//
// # Bytes
//
// A store that is begun anew gets another name, <dir>/words-1 or <dir>/log-1.db, and so on: what was abandoned may hold its
// files for ever. The highest number counts; the others are removed.
//
// <dir>/words is a Bleve (scorch) index. A document is a page that is listed (page.Path.Listed); its id is the space, "/"
// and the path; its fields, with the first 64 KiB of its text among them, are in text.go. When and by whom a page was
// changed is as of the last time that a delta touched it. Internal keys: "schema" is a hash of all that decides what a
// page becomes, "rev/" and a space the position there, "toward/" and a space where a delta that takes several batches
// leads.
//
// <dir>/log.db is a bbolt file. Bucket "_" has "rev", the version of this layout. Each space has a bucket, with these
// in it; numbers are big-endian, N is the number of a commit, from 0 on, as 8 bytes, ^N its complement:
//
//	at      "rev" → position, in hex; "toward" → where a delta that takes several transactions leads, in hex, until it is
//	        there; "next" → N of the commit to come
//	commit  N → rev, unix seconds, author, email, note, parents, number of files left out, files (kind, path, from, blob)
//	rev     rev → N
//	page    path 0 ^N → kind, blob, from; so that the newest change of a page comes first. A move also leaves an entry
//	        of kind 'r' at the old name, with the new one in place of from
//	link    path → links (flags, A, B), tags, names that the page calls itself (folded)
//	key     folded name 0 path → nothing: the page at path has a link that may find something by that name
//	tag     folded tag 0 path → the tag as it is written
//	folder  path → N of the last commit that changed something in it
//	gone    folded name 0 path → nothing: a file has been moved away from path, which has that name (page.PathKeys)
//	called  folded name 0 path → nothing: the page at path calls itself so, by its title or an alias
//	place   path → FNV-1a of each of the page's places (page.Doc.Places), as 4 bytes, in order; none of a page of which
//	        nobody can tell
//
// In values a revision or blob is a byte with its length and its bytes; a text has its length before it, and a list the
// number of its elements, as uvarint; seconds are a varint; the last text of a value of page has no length. After each value
// in the bucket of a space comes the CRC-32C of its key and the value, as 4 bytes.
package search
