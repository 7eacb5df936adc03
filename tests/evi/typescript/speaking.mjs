// Someone speaks, and is answered; where there is more to say, they speak into a reading.

import { HumeClient } from "hume";
import { all, Chat, finalWords, given, tell } from "./chat.mjs";

const client = new HumeClient({ apiKey: "", environment: given.url });
const socket = client.empathicVoice.chat.connect({
    verboseTranscription: given.verbose,
    queryParams: given.query, // what the client does not know of
    reconnectAttempts: 3,
});
const chat = new Chat("spoken", socket);
const { chatId } = await chat.until("chat_metadata");
if (given.audio) socket.sendSessionSettings({ audio: given.audio });

const turn = chat.speak(given.pieces, given.binary);
await chat.until(finalWords);
await chat.until("assistant_end");
await turn;

if (given.reading) {
    socket.sendAssistantInput({ text: given.reading });
    await chat.until((message) => message.type === "audio_output" && message.index === 1);
    await new Promise((resolve) => setTimeout(resolve, 1500)); // some of it is listened to
    const interruption = chat.speak(given.interruption, given.binary);
    await chat.until("user_interruption");
    await chat.until(finalWords);
    await chat.until("assistant_message");
    await chat.until("assistant_end");
    await interruption;
}
socket.close();
tell({ events: await all(client.empathicVoice.chats.listChatEvents(chatId, { pageSize: 100 })) });
