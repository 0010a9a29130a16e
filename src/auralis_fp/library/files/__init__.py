"""The music folders: walks, tags, and the sidecar files beside the music."""
