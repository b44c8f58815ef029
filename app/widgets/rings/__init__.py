"""The rings picture in parts: what is true (scene, crossing), when (playback, rates), where (geometry), and paint."""
