"""A VM at an instant, as plain data: taken from a running VM, and made a VM again, here or elsewhere.

vm_snapshot  the facts
taking       reading them from a VM, which changes nothing
going_on     making a VM of them
divergence   how far a VM has come from its image, or one instant from another
shelf        those that a person keeps, by name
"""
