"""Puts a bug into a copy of the sources: text is found however it is wrapped, so that reformatting does not hide a place."""
import re


def replace(path, old, new):
    """Puts `new` in the place of `old`, which must stand in the file exactly once. False: it does not."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    pattern = r"[\s\\]+".join(re.escape(word) for word in old.split())
    if len(re.findall(pattern, text)) != 1:
        return False
    with open(path, "w", encoding="utf-8") as f:
        f.write(re.sub(pattern, lambda _: new, text))
    return True
