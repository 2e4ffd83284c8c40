"""All that a run has written, as bytes to search."""

import gzip


def everything_in(out):
    """(name, bytes) of paths and files, unpacked where they are packed."""
    for path in sorted(out.rglob("*")):
        yield "a path", str(path.relative_to(out)).encode()
        if path.is_file():
            content = path.read_bytes()
            yield path.name, content
            if path.suffix == ".gz":
                yield path.name, gzip.decompress(content)
