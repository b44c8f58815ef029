"""The rings picture in parts: what is true (scene, crossings), when (playback, rates), where (geometry), ink (paint)."""
