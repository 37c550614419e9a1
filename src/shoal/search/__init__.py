"""Which networks to try: the space and the strategies."""
