#!/usr/bin/python3
"""Hostile images, each a directory or a tar below the directory given. Prints a line for each:

    NAME <tab> TRANSPORT <tab> FILE <tab> WANT

WANT is "refuse PATTERN" (an extended regular expression for the message) or "ok CHECK": harmless, and CHECK (a shell command, run in the
directory of the top layer) holds. The layers are plain tars, so that each case has one cause."""
import gzip, hashlib, io, json, os, struct, sys, tarfile

out = sys.argv[1]
OCI = "application/vnd.oci.image."


def digest(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


def header(name=b"f", size=0, typeflag=b"0", mode=b"0000644", uid=b"0000000", gid=b"0000000", mtime=b"00000000000", link=b"", magic=b"ustar\x0000",
           major=b"0000000", minor=b"0000000", sizefield=None):
    field = sizefield if sizefield is not None else b"%011o" % size
    h = struct.pack("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12s", name[:100], mode, uid, gid, field, mtime, b" " * 8, typeflag, link[:100], magic,
                    b"", b"", major, minor, b"", b"")
    return h[:148] + b"%06o\0 " % sum(h) + h[156:]


def entry(name=b"f", data=b"", **kw):
    return header(name, len(data), **kw) + data + b"\0" * (-len(data) % 512)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    n = len(body)
    while len(b"%d" % n) + len(body) != n:
        n = len(b"%d" % n) + len(body)
    return b"%d" % n + body


def pax(*records, name=b"f", data=b"", flag=b"x", **kw):
    return entry(b"pax", b"".join(record(k, v) if v is not None else k for k, v in records), typeflag=flag) + entry(name, data, **kw)


END = b"\0" * 1024
DIR = dict(typeflag=b"5", mode=b"0000755")


class Image:
    """An OCI layout that a case may bend before it is written."""

    def __init__(self, *layers, **config):
        self.blobs, self.raw = {}, list(layers) or [entry(b"f", b"x") + END]
        self.diffs = [digest(l) for l in self.raw]
        self.config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": self.diffs}, "config": config}
        self.layers = [self.put(OCI + "layer.v1.tar", l) for l in self.raw]
        self.manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "layers": self.layers}
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def put(self, kind, content):
        self.blobs[digest(content)] = content
        return {"mediaType": kind, "digest": digest(content), "size": len(content)}

    def text(self, doc):
        return doc if isinstance(doc, bytes) else json.dumps(doc).encode()

    def finish(self):
        if "config" not in self.manifest:
            self.manifest["config"] = self.put(OCI + "config.v1+json", self.text(self.config))
        m = getattr(self, "descriptor", None) or self.put(OCI + "manifest.v1+json", self.text(self.manifest))
        self.files.setdefault("index.json", self.text({"schemaVersion": 2, "manifests": [m]}))
        return self

    def write(self, path):
        self.finish()
        for name, content in list(self.files.items()) + [("blobs/sha256/" + d[7:], c) for d, c in self.blobs.items()]:
            name = os.path.join(path, name)
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with open(name, "wb") as f:
                f.write(content)


def case(name, want, image, transport="oci"):
    if isinstance(image, Image):
        image.write(os.path.join(out, name))
    else:
        with open(os.path.join(out, name), "wb") as f:
            f.write(image)
    print(name, transport, name, want, sep="\t")


def layer(name, want, *entries, below=None, end=END):
    case(name, want, Image(*([below + END] if below else []), b"".join(entries) + end))


# names and links that lead out
layer("dotdot", "refuse \\.\\.", entry(b"../podd-canary", b"x"))
layer("dotdot-middle", "refuse \\.\\.", entry(b"a/../../podd-canary", b"x"))
layer("dotdot-end", "refuse \\.\\.", entry(b"a/..", **DIR))
layer("dotdot-pax", "refuse \\.\\.", pax((b"path", b"../../podd-canary"), data=b"x"))
layer("dotdot-longname", "refuse \\.\\.", entry(b"././@LongLink", b"../" * 50 + b"podd-canary\0", typeflag=b"L") + entry(b"x", b"x"))
layer("absolute", "ok [ -f podd-canary-file ]", entry(b"/podd-canary-file", b"x"))
layer("slashes", "ok [ -f a/b ]", entry(b"///a/././/b", b"x"))
layer("symlink-up", "refuse is no directory", entry(b"a", typeflag=b"2", link=b"../../.."), entry(b"a/podd-canary/x", b"x"), entry(b"a/b/c", typeflag=b"2", link=b"x"), entry(b"a/b", b"x"), entry(b"podd-canary/x/y/z", b"x"))
layer("symlink-root", "ok [ -f podd-canary-link ]", entry(b"a", typeflag=b"2", link=b"/"), entry(b"a/podd-canary-link", b"x"))
layer("symlink-dotdot", "ok [ -f podd-canary-link ]", entry(b"a", typeflag=b"2", link=b"../../../.."), entry(b"a/podd-canary-link", b"x"))
layer("symlink-dangling", "refuse is no directory", entry(b"a", typeflag=b"2", link=b"/etc"), entry(b"a/passwd", b"x"))
layer("symlink-loop", "refuse .", entry(b"a", typeflag=b"2", link=b"b"), entry(b"b", typeflag=b"2", link=b"a"), entry(b"a/x", b"x"))
layer("symlink-over", "ok [ ! -L a ] && [ -f a ]", entry(b"a", typeflag=b"2", link=b"/etc/passwd"), entry(b"a", b"x"))
layer("symlink-chmod", "ok [ -d a ]", entry(b"a", typeflag=b"2", link=b"/etc"), entry(b"a", typeflag=b"5", mode=b"0000777"))
layer("symlink-empty", "refuse symlink", entry(b"a", typeflag=b"2"))
layer("hardlink-up", "refuse hard link", entry(b"a", typeflag=b"1", link=b"../../podd-canary"))
layer("hardlink-absolute", "refuse hard link", entry(b"a", typeflag=b"1", link=b"/etc/passwd"))
layer("hardlink-missing", "refuse hard link", entry(b"a", typeflag=b"1", link=b"b"))
layer("hardlink-later", "refuse hard link", entry(b"a", typeflag=b"1", link=b"b"), entry(b"b", b"x"))
layer("hardlink-symlink-parent", "refuse hard link", entry(b"d", **DIR), entry(b"d/f", b"x"), entry(b"l", typeflag=b"2", link=b"d"), entry(b"a", typeflag=b"1", link=b"l/f"))
layer("hardlink-to-symlink", "ok [ -L a ]", entry(b"l", typeflag=b"2", link=b"/etc/passwd"), entry(b"a", typeflag=b"1", link=b"l"))
layer("hardlink-directory", "refuse hard link", entry(b"d", **DIR), entry(b"a", typeflag=b"1", link=b"d"))
layer("hardlink-self", "refuse hard link", entry(b"a", b"x"), entry(b"a", typeflag=b"1", link=b"a"))
layer("hardlink-lower", "refuse hard link", entry(b"a", typeflag=b"1", link=b"f"), below=entry(b"f", b"x"))
layer("hardlink-whiteout", "refuse hard link", entry(b".wh.f"), entry(b"a", typeflag=b"1", link=b"f"))
layer("name-empty", "refuse .", entry(b""))
layer("name-long", "refuse .", pax((b"path", b"a/" * 2500), data=b"x"))
layer("name-component", "refuse 255", pax((b"path", b"a" * 256), data=b"x"))
layer("name-deep", "refuse deeper", pax((b"path", b"a/" * 300 + b"f"), data=b"x"))
layer("name-nul", "ok ! [ -e b ]", pax((b"path", b"a\0/../../b"), data=b"x"))
layer("name-newline", "ok true", entry(b"a\nb\x1b[31m", b"x"))
layer("name-control-refused", "refuse x1b", entry(b"a\x1b[31m", typeflag=b"1", link=b"\x1b[2J"))
layer("file-as-directory", "refuse is no directory", entry(b"a", b"x"), entry(b"a/b", b"x"))
layer("root-file", "refuse .", entry(b"./", b"x"))
layer("root-symlink", "refuse root", entry(b".", typeflag=b"2", link=b"/etc"))

# whiteouts
layer("whiteout-dotdot", "refuse whiteout", entry(b".wh..."))
layer("whiteout-dot", "refuse whiteout", entry(b".wh.."))
layer("whiteout-nothing", "refuse whiteout", entry(b".wh."))
layer("whiteout-unknown", "ok [ -z \"$(ls -A)\" ]", entry(b".wh..wh.plnk/x", b"x"), entry(b".wh..wh.aufs", b"x"))
layer("whiteout-directory", "ok [ -c f ]", entry(b".wh.f", **DIR), entry(b".wh.f/x", b"x"), below=entry(b"f", b"x"))
layer("whiteout-hardlink", "ok [ -c f ]", entry(b"o", b"x"), entry(b".wh.f", typeflag=b"1", link=b"o"), below=entry(b"f", b"x"))
layer("whiteout-then-directory", "ok [ \"$(getfattr --only-values -n trusted.overlay.opaque d)\" = y ]", entry(b".wh.d"), entry(b"d/new", b"x"), below=entry(b"d/old", b"x"))
layer("whiteout-own-directory", "ok [ \"$(getfattr --only-values -n trusted.overlay.opaque d)\" = y ]", entry(b"d", **DIR), entry(b".wh.d"), below=entry(b"d/old", b"x"))
layer("whiteout-own-file", "ok [ -f f ]", entry(b"f", b"x"), entry(b".wh.f"))
layer("opaque-root", "ok [ -c a ] && [ -c b ] && [ -f c ]", entry(b"c", b"x"), entry(b".wh..wh..opq"), below=entry(b"a", b"x") + entry(b"b/x", b"x") + entry(b"c", b"y"))
layer("opaque-symlink", "ok ! getfattr -n trusted.overlay.opaque . 2>/dev/null", entry(b"d", typeflag=b"2", link=b"/"), entry(b"d/.wh..wh..opq"))
layer("device-whiteout", "refuse 0:0", entry(b"a", typeflag=b"3"))

# nodes, owners, times
layer("device-major", "refuse device", entry(b"a", typeflag=b"3", major=b"7777777", minor=b"0000001"))
layer("device-disk", "ok [ -b a ]", entry(b"a", typeflag=b"4", major=b"0000010", minor=b"0000000"))
layer("owner-negative", "refuse owner", pax((b"uid", b"-1")))
layer("owner-none", "refuse owner", pax((b"gid", b"4294967295")))
layer("owner-large", "refuse owner", pax((b"uid", b"18446744073709551616")))
layer("owner-last", "ok [ $(stat -c %u f) = 4294967294 ]", pax((b"uid", b"4294967294")))
layer("time-before", "ok true", pax((b"mtime", b"-1000000000000000")))
layer("time-after", "ok true", pax((b"mtime", b"9223372036854775807.5")))
layer("capability-v3", "ok [ -z \"$(getfattr -m - -d f)\" ]", pax((b"SCHILY.xattr.security.capability", struct.pack("<6I", 0x03000001, 0x2000, 0, 0, 0, 1000)), data=b"x"))
layer("capability-nonsense", "ok [ -z \"$(getfattr -m - -d f)\" ]", pax((b"SCHILY.xattr.security.capability", b"x" * 100), data=b"x"))

# attributes
for attribute in ("trusted.overlay.redirect", "trusted.overlay.opaque", "trusted.overlay.metacopy", "user.overlay.redirect", "user.overlay.opaque",
                  "security.selinux", "security.ima", "system.posix_acl_access", "system.posix_acl_default", "trusted.x"):
    layer("xattr-" + attribute, "ok [ -z \"$(getfattr -m - -d f d)\" ]", pax((b"SCHILY.xattr." + attribute.encode(), b"/etc"), data=b"x"),
          pax((b"SCHILY.xattr." + attribute.encode(), b"/etc"), name=b"d", **DIR))
layer("xattr-many", "refuse 64 extended", pax(*((b"SCHILY.xattr.user.%d" % i, b"x") for i in range(100)), data=b"x"))
layer("xattr-large", "refuse 65536", pax(*((b"SCHILY.xattr.user.%d" % i, b"x" * 4000) for i in range(20)), data=b"x"))


# bombs
def packed(data, **kw):
    i = Image()
    i.raw, i.diffs[:] = [data], [digest(gzip.decompress(data) if not kw.get("lie") else b"")]
    i.layers[:] = [i.put(OCI + "layer.v1.tar+gzip", data)]
    return i


def bomb(megabytes):
    b = io.BytesIO()
    with gzip.GzipFile(fileobj=b, mode="wb", mtime=0) as z:
        z.write(header(b"zeros", megabytes << 20))
        for _ in range(megabytes):
            z.write(bytes(1 << 20))
        z.write(END)
    return b.getvalue()


case("bomb-gzip", "refuse bomb", packed(bomb(400), lie=True))
case("bomb-nested", "refuse .", packed(gzip.compress(bomb(100)), lie=True))
case("bomb-archive", "refuse .", gzip.compress(bomb(200)), "archive")
layer("bomb-sparse", "refuse limit", pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"9223372036854775807"),
      (b"GNU.sparse.name", b"s"), data=b"1\n9223372036854775806\n1\n".ljust(512, b"\0") + b"x"))
layer("bomb-terabyte", "refuse limit", header(b"big", sizefield=b"\x80" + (1 << 40).to_bytes(11, "big")))
i = Image()
frame = b"\x28\xb5\x2f\xfd\x00" + bytes([(41 - 10) << 3]) + b"\x01\x00\x00"  # a window of 2 TiB
i.layers[:] = [i.put(OCI + "layer.v1.tar+zstd", frame)]
case("bomb-zstd", "refuse .", i)

# malformed tars
layer("tar-truncated", "refuse .", header(b"f", 5000) + b"x" * 1000, end=b"")
layer("tar-checksum", "refuse sound tar|not a tar", header(b"f")[:100] + b"X" + header(b"f")[101:] + END)
layer("tar-noise", "refuse sound tar|not a tar", bytes(range(256)) * 8, end=b"")
layer("tar-negative", "refuse .", header(b"f", sizefield=b"\xff" * 12))
layer("tar-huge", "refuse .", header(b"f", sizefield=b"\x80" + b"\x7f" * 11))
layer("tar-longname-loop", "refuse .", *([entry(b"././@LongLink", b"x" * 100, typeflag=b"L")] * 3000))
layer("tar-longname-huge", "refuse .", header(b"././@LongLink", 1 << 31, typeflag=b"L"))
layer("tar-pax-length", "refuse .", pax((b"9999 path=x\n", None), data=b"x"))
layer("tar-pax-short", "refuse .", pax((b"3 path=x\n", None), data=b"x"))
layer("tar-pax-nonumber", "refuse .", pax((b"x path=x\n", None), data=b"x"))
layer("tar-pax-huge", "refuse .", header(b"pax", 1 << 31, typeflag=b"x"))
layer("tar-pax-size", "refuse .", pax((b"size", b"1000000"), name=b"f", data=b"x"))
layer("tar-pax-global", "ok [ -f f ]", pax((b"path", b"../../podd-canary"), flag=b"g", data=b"x"))
layer("tar-typeflag", "ok true", entry(b"a", b"x", typeflag=b"Z"), entry(b"f", b"x"))
layer("tar-sparse-old", "refuse .", header(b"f", 512, typeflag=b"S", magic=b"ustar  \0")[:386] + b"77777777777\0" * 8 + header()[482:], b"x" * 512)
layer("tar-empty", "ok [ -z \"$(ls -A)\" ]", b"")
layer("tar-after-end", "ok ! [ -e late ]", entry(b"f", b"x"), END, entry(b"late", b"x"))


# digests and sizes
def bent(name, want, bend, *args, **kw):
    i = Image(*args, **kw)
    bend(i)
    case(name, want, i)


def flip(i):
    i.blobs[i.layers[0]["digest"]] = i.raw[0][:600] + b"Y" + i.raw[0][601:]


def member(key, value):
    return lambda i: i.layers[0].update({key: value})


bent("digest-flip", "refuse not those of the digest", flip)
bent("digest-short", "refuse declared", lambda i: i.blobs.update({i.layers[0]["digest"]: i.raw[0][:-512]}))
bent("digest-long", "refuse declared", lambda i: i.blobs.update({i.layers[0]["digest"]: i.raw[0] + bytes(512)}))
bent("digest-size", "refuse declared", member("size", 1))
bent("digest-negative", "refuse size", member("size", -1))
bent("digest-path", "refuse digest", member("digest", "sha256:../../../../podd-canary"))
bent("digest-upper", "refuse digest", lambda i: i.layers[0].update(digest=i.layers[0]["digest"].upper().replace("SHA256", "sha256")))
bent("digest-algorithm", "refuse digest", member("digest", "md5:" + "0" * 32))
bent("digest-missing", "refuse missing", lambda i: i.blobs.pop(i.layers[0]["digest"]))
bent("diffid-wrong", "refuse diff ID", lambda i: i.config["rootfs"].update(diff_ids=[digest(b"other")]))
bent("diffid-path", "refuse diff ID", lambda i: i.config["rootfs"].update(diff_ids=["sha256:../../x"]))
bent("diffid-count", "refuse layers", lambda i: i.config["rootfs"]["diff_ids"].append(digest(b"other")))
bent("diffid-none", "refuse layers", lambda i: i.config.pop("rootfs"))
bent("layers-many", "refuse 127", lambda i: (i.config["rootfs"].update(diff_ids=i.diffs * 200), i.manifest.update(layers=i.layers * 200)))

# one document, two meanings
bent("media-both", "refuse at once", lambda i: i.manifest.update(manifests=[]))
bent("media-own", "refuse calls itself", lambda i: i.manifest.update(mediaType=OCI + "index.v1+json"))
bent("media-layer", "refuse no layer", member("mediaType", "text/html"))
bent("media-foreign", "refuse no layer", member("mediaType", OCI + "layer.nondistributable.v1.tar"))
bent("media-config", "refuse no container image", lambda i: i.manifest.update(config=i.put("application/vnd.cncf.helm.config.v1+json", b"{}")))
bent("media-compression", "ok [ -f f ]", member("mediaType", OCI + "layer.v1.tar+zstd"))
bent("media-schema", "refuse schemaVersion", lambda i: i.manifest.update(schemaVersion=1))
bent("json-twice", "refuse twice", lambda i: setattr(i, "config", json.dumps(i.config).encode()[:-1] + b',"rootfs":{}}'))
bent("json-case", "refuse layers", lambda i: i.config.update(ROOTFS=i.config.pop("rootfs")))

# JSON that costs
bent("json-deep", "refuse 64", lambda i: i.files.update({"index.json": b"[" * 100000}))
bent("json-deep-object", "refuse 64", lambda i: setattr(i, "config", b'{"a":' * 100000))
bent("json-large", "refuse 4194304", lambda i: i.files.update({"index.json": b'{"a":"' + b"x" * (5 << 20) + b'"}'}))
bent("json-array", "refuse 10000|too many|another type", lambda i: i.config["config"].update(Cmd=["x"] * 20000))
bent("json-null", "refuse .", lambda i: i.files.update({"index.json": b"null"}))
bent("json-nul", "refuse .", lambda i: i.config["config"].update(Cmd=["a\0b"]))
bent("json-utf8", "refuse .", lambda i: i.files.update({"index.json": b'{"a":"\xff\xfe"}'}))
bent("json-cut", "refuse .", lambda i: i.files.update({"index.json": b'{"manifests":['}))
bent("json-number", "refuse size", lambda i: i.manifest.update(config=dict(i.layers[0], size=1e300)))
bent("index-wide", "refuse 1000", lambda i: i.files.update({"index.json": json.dumps({"schemaVersion": 2, "manifests": [i.layers[0]] * 2000}).encode()}))


def nest(i):
    d = i.put(OCI + "manifest.v1+json", b"{}")
    for _ in range(20):
        d = i.put(OCI + "index.v1+json", json.dumps({"schemaVersion": 2, "manifests": [d]}).encode())
    i.descriptor = d


bent("index-deep", "refuse deep", nest)
bent("index-platform", "refuse linux/", lambda i: setattr(i, "descriptor", i.put(OCI + "index.v1+json", json.dumps({"schemaVersion": 2, "manifests": [
    dict(i.layers[0], platform={"os": "plan9", "architecture": "amd64"}), dict(i.layers[0], platform={"os": "linux", "architecture": "z80"})]}).encode())))
bent("layout-version", "refuse imageLayoutVersion", lambda i: i.files.update({"oci-layout": b'{"imageLayoutVersion":"9"}'}))
bent("layout-none", "refuse oci-layout", lambda i: i.files.pop("oci-layout"))

# A79, A80: configurations that want to steer
RECORD = "jq -e '%s' ../../refs/*.json >/dev/null"
case("config-labels", "ok " + RECORD % '.labels["podd.dev/devices"] and (keys | length) == 15',
     Image(Labels={"podd.dev/devices": "all", "io.podd.log-uri": "binary:///bin/sh?x"}, Volumes={"/etc": {}}, Healthcheck={"Test": ["CMD", "x"]}))
case("config-env", "refuse NAME=value", Image(Env=["A=b", "nonsense"]))
case("config-env-empty", "refuse NAME=value", Image(Env=["=x"]))
case("config-env-large", "refuse 131072", Image(Env=["A=" + "x" * 200000]))
case("config-env-total", "refuse 1048576", Image(Env=["A%d=" % i + "x" * 1000 for i in range(2000)]))
case("config-env-count", "refuse .", Image(Env=["A=b"] * 1000000))
case("config-entrypoint-type", "refuse type", Image(Entrypoint="/bin/sh"))
case("config-entrypoint-none", "ok " + RECORD % ".config.entrypoint == []", Image(Entrypoint=None, Cmd=None))
case("config-signal", "refuse StopSignal", Image(StopSignal="SIGEVIL"))
case("config-signal-number", "refuse StopSignal", Image(StopSignal="9999"))
case("config-workdir", "refuse WorkingDir", Image(WorkingDir="../../x"))
case("config-user", "refuse User", Image(User="root\nroot"))
case("config-os", "refuse windows", (lambda i: (i.config.update(os="windows"), i)[1])(Image()))


# archives that hold images
def tar(*members):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w") as t:
        for name, content in members:
            m = tarfile.TarInfo(name)
            if isinstance(content, str):
                m.type, m.linkname = tarfile.SYMTYPE, content
                t.addfile(m)
            else:
                m.size = len(content)
                t.addfile(m, io.BytesIO(content))
    return b.getvalue()


def docker(config=None, layers=("l.tar",), tags=("x:1",), *more):
    i = Image()
    text = json.dumps(i.config).encode()
    return tar(("manifest.json", json.dumps([{"Config": config or "c.json", "RepoTags": tags and list(tags), "Layers": list(layers)}]).encode()), ("c.json", text),
               ("0" * 64 + ".json", text), ("l.tar", i.raw[0]), *more)


case("docker-sound", "ok [ -f f ]", docker(), "docker-archive")
case("docker-link", "ok [ -f f ]", docker(None, ["a/layer.tar"], ("x:1",), ("a/layer.tar", "../l.tar")), "docker-archive")
case("docker-link-out", "refuse missing", docker(None, ["a"], ("x:1",), ("a", "../../../podd-canary")), "docker-archive")
case("docker-link-loop", "refuse missing", docker(None, ["a"], ("x:1",), ("a", "b"), ("b", "a")), "docker-archive")
case("docker-config-path", "refuse missing", docker("../../../../etc/passwd"), "docker-archive")
case("docker-config-name", "refuse digest", docker("0" * 64 + ".json"), "docker-archive")
case("docker-twice", "refuse twice", docker(None, ["l.tar"], ("x:1",), ("c.json", b"{}")), "docker-archive")
case("docker-members", "refuse 10000", docker(None, ["l.tar"], ("x:1",), *(("m%d" % i, b"") for i in range(10001))), "docker-archive")
case("docker-tags", "refuse can't be one|names no image|lower-case", docker(None, ["l.tar"], ("../../x",)), "archive")
case("docker-manifest", "refuse .", tar(("manifest.json", b'{"Config":1}')), "docker-archive")
case("docker-none", "refuse missing", tar(("other", b"x")), "docker-archive")
case("archive-noise", "refuse .", bytes(range(256)) * 64, "archive")
case("archive-empty", "refuse .", b"", "archive")
case("archive-cut", "refuse .", docker()[:1500], "docker-archive")
