"""What trains a block: one file per engine, behind the interface of `base`."""
