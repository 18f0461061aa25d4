"""What was agreed: targets by measures, limits of workload, exceptions, and the agreement that holds them.

Order: measures, targets, workload, exceptions, agreement.
"""
