// A chat that others reach: by a command of a request, and by a connection beside the client's.

import { HumeClient } from "hume";
import { Chat, finalWords, given, tell } from "./chat.mjs";

const client = new HumeClient({ apiKey: "", environment: given.url });
const { chat, controlPlane } = client.empathicVoice;

const socket = chat.connect({ allowConnection: true });
const own = new Chat("own", socket);
const { chatId, chatGroupId } = await own.until("chat_metadata");

const joined = await controlPlane.connect({ chat_id: chatId });
const beside = new Chat("beside", joined);
await joined.waitForOpen();
// What was open before the device took notice of it proves nothing: its own word has to come.
joined.sendPublish({ type: "user_input", text: " " });
await beside.until("error");
await controlPlane.send(chatId, { type: "assistant_input", text: given.reading });
await Promise.all([own.until("assistant_end"), beside.until("assistant_end")]);
joined.sendPublish({ type: "user_input", text: "What is the capital of France?" });
await Promise.all([own.until(finalWords), beside.until(finalWords)]);
await Promise.all([own.until("assistant_end"), beside.until("assistant_end")]);

const badly = controlPlane.send(chatId, { type: "user_input", text: " " });
tell({ refused: await badly.then(() => null, (error) => error.statusCode) });
socket.close();
await beside.end();

// The same people go on in a new chat.
const later = chat.connect({ resumedChatGroupId: chatGroupId });
const again = new Chat("again", later);
await again.until("chat_metadata");
later.close();

const closedChat = controlPlane.send(chatId, { type: "pause_assistant_message" });
tell({ gone: await closedChat.then(() => null, (error) => error.statusCode) });

// A chat that does not allow it is not joined.
const alone = chat.connect();
const closed = new Chat("closed", alone);
const { chatId: closedId } = await closed.until("chat_metadata");
const refused = new Chat("refused", await controlPlane.connect({ chat_id: closedId }));
await refused.end();
alone.close();
