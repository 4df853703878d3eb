"""The graph of values that every frontend produces and the engine reads."""
