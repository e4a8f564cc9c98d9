"""Names of the networks that every peer knows, without importing a framework."""

FACE_CNNS = ("attacknet-v1", "attacknet-v2.1", "attacknet-v2.2", "livenessnet")
