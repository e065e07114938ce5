#!/usr/bin/python3
"""tree.py PEER OWN SECONDS: compares two unpacked images, file by file, in all that an image says. A directory that no layer has an entry
for has no time of its own; the peer gave it the time of day, which is after SECONDS. Prints what differs, then "N files"."""
import hashlib, os, stat, sys


def describe(path, name, links):
    st = os.lstat(path)
    kind = stat.S_IFMT(st.st_mode)
    d = {"mode": oct(st.st_mode), "owner": f"{st.st_uid}:{st.st_gid}", "time": st.st_mtime_ns}
    if kind == stat.S_IFREG:
        with open(path, "rb") as f:
            d["data"] = (st.st_size, hashlib.file_digest(f, "sha256").hexdigest())
    if kind == stat.S_IFLNK:
        d["target"] = os.readlink(path)
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        d["device"] = st.st_rdev
    if kind != stat.S_IFDIR:  # overlayfs counts no links of directories
        d["links"] = st.st_nlink
        d["linked to"] = links.setdefault((st.st_dev, st.st_ino), name)
    for x in sorted(os.listxattr(path, follow_symlinks=False)):
        if not x.startswith(("user.rootlesscontainers", "trusted.overlay.")):  # the peer's notes, and the kernel's
            d[x] = os.getxattr(path, x, follow_symlinks=False)
    return d


def tree(root):
    links = {}
    found = {b".": describe(root, b".", links)}
    for base, dirs, files in os.walk(root):
        dirs.sort()
        for name in sorted(dirs + files):
            path = os.path.join(base, name)
            name = os.path.relpath(path, root)
            found[name] = describe(path, name, links)
    return found


peer, own = (tree(os.fsencode(d)) for d in sys.argv[1:3])
since = int(sys.argv[3]) * 10**9
differ = 0
for name in sorted(peer.keys() | own.keys()):
    p, o = peer.get(name), own.get(name)
    if p and o and stat.S_ISDIR(int(p["mode"], 8)) and p["time"] >= since:
        o["time"] = p["time"]
    if p != o:
        differ = 1
        print(name.decode(errors="backslashreplace"), "peer:", p, "own:", o)
print(len(own), "files")
sys.exit(differ)
