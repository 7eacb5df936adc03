"""The EVI face: chats over WebSocket, and REST, as Hume's SDKs speak them."""
