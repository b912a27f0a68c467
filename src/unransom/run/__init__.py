"""How steps are executed: the flow, what one worker does, one machine or a cluster, and the result."""
