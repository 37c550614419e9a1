"""The workbench: all of shoal in a browser, on this machine.

`app` puts an app together, `pages/` are its parts, which register themselves; `state` is what the user has chosen, `jobs`
trains in processes of their own. Run folders are the truth: the command line, Python and the browser see the same.
"""
