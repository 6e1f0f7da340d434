"""Writes the Unicode decomposition data that UnicodeNormalization reads. Run with a Python whose unicodedata is the wanted version.

Line forms, all numbers hexadecimal:
  C first last class       canonical combining class of a range of code points
  D code  a [b]            canonical decomposition, one step; "*" after the code: never composed again
  K code  a b c ...        compatibility decomposition, one step
"""
import sys
import unicodedata as u

out = [f"# Unicode {u.unidata_version}: combining classes and decompositions; made by tools/unicode/normalization_data.py"]
run = None
for code in range(0x110000):
    ccc = u.combining(chr(code)) if not 0xD800 <= code < 0xE000 else 0
    if run and (ccc != run[2] or code != run[1] + 1):
        out.append("C %X %X %X" % run)
        run = None
    if ccc:
        run = (run[0] if run else code, code, ccc)
for code in range(0x110000):
    if 0xD800 <= code < 0xE000 or 0xAC00 <= code < 0xD7A4:
        continue
    decomposition = u.decomposition(chr(code))
    if not decomposition:
        continue
    if decomposition.startswith("<"):
        out.append("K %X %s" % (code, " ".join(x.lstrip("0") for x in decomposition.split()[1:])))
    else:
        composes = u.normalize("NFC", u.normalize("NFD", chr(code))) == chr(code)
        out.append("D %X%s %s" % (code, "" if composes else "*", " ".join(x.lstrip("0") for x in decomposition.split())))
open(sys.argv[1], "w", newline="\n").write("\n".join(out) + "\n")
