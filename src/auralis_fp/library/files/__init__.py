"""The music folders: walking them, reading tags, the sidecar files beside the music."""
