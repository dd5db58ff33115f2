# What libhxl finds wrong with files of data: columns without a tag, no rows, faults
# against its schema. Nothing is printed about a file that is right.
import sys

import hxl

for name in sys.argv[1:]:
    options = hxl.InputOptions(allow_local=True)
    source = hxl.data(name, options)
    tags = [c.display_tag for c in source.columns]
    if None in tags or len(tags) < 5:
        print(name, tags)
    if not any(True for _ in source) and "presence" not in name:
        print(name, "no rows")
    faults = []
    hxl.data(name, options).validate(None, faults.append)
    for f in faults:
        if f.rule.severity == "error":
            print(name, f)
