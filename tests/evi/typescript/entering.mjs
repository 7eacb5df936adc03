// Who comes in with what: keys, tokens, and names of things that are not there.

import { fetchAccessToken, HumeClient } from "hume";
import { Chat, given, tell } from "./chat.mjs";

async function enters(name, client, more = {}) {
    const socket = client.empathicVoice.chat.connect({ reconnectAttempts: 0, ...more });
    const chat = new Chat(name, socket);
    // Without a reconnection to come, a refused handshake is told as an error and nothing else.
    const welcome = await new Promise((resolve) => {
        chat.until("chat_metadata").then(resolve, () => resolve(null));
        socket.socket.addEventListener("error", () => resolve(null));
    });
    let status = 200;
    try {
        await client.empathicVoice.configs.listConfigs();
    } catch (error) {
        status = error.statusCode;
    }
    if (welcome) socket.close();
    tell({ who: name, welcome: welcome !== null, status });
}

const environment = given.url;
await enters("no key", new HumeClient({ apiKey: "", environment }));
await enters("right key", new HumeClient({ apiKey: given.key, environment }));
await enters("wrong key", new HumeClient({ apiKey: `${given.key}x`, environment }));

const host = new URL(environment).host;
const token = await fetchAccessToken({ apiKey: given.key, secretKey: given.secret, host });
await enters("token", new HumeClient({ accessToken: token, environment }));
await enters("token in the address", new HumeClient({ apiKey: "", environment }), {
    accessToken: token,
});
await enters("wrong token", new HumeClient({ accessToken: `${token}x`, environment }));
const wrong = fetchAccessToken({ apiKey: given.key, secretKey: "wrong", host });
tell({ refusal: await wrong.then(() => null, (error) => error.message) });

// What is final must not be tried again, though the client would try thirty times.
const client = new HumeClient({ apiKey: "", environment });
for (const [name, more] of Object.entries({
    "unknown config": { configId: given.unknown },
    "unknown group": { resumedChatGroupId: given.unknown },
})) {
    const chat = new Chat(name, client.empathicVoice.chat.connect(more));
    await chat.end();
}
