"""How a block of members is trained: losses, optimizers, schedules, the trainer."""
