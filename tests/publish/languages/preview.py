"""Previews the program in the folder ARGV[1] on its stack ARGV[2], as JSON: without Pulumi's language host for Python, this process answers for it."""

import runpy
import sys

from pulumi import automation

folder, stack = sys.argv[1:]
selected = automation.select_stack(
    stack_name=stack,
    project_name="our-platform",
    program=lambda: runpy.run_path(f"{folder}/__main__.py", run_name="__main__"),
    opts=automation.LocalWorkspaceOptions(work_dir=folder),
)
selected.preview(json=True, on_output=print, on_error=lambda text: print(text, file=sys.stderr))
