"""
Learning to swing up
====================

Five populations learn to swing a pendulum up without any data. The champion becomes C for a small machine.
"""

import shoal

run = shoal.evolve("pendulum", "3 8:tanh 1:tanh", seeds=5, out="swing_up", force=True)
print(run)

run.animate("swing_up.gif")
written = run.export("swing_up.c", force=True)
print(f"{written.files[0].name}: {written.files[0].stat().st_size} bytes of source. {written.agreement}")
