// Someone writes instead of speaking: words, words to be read out, a pause, and a tool.

import { HumeClient } from "hume";
import { all, Chat, finalWords, given, tell } from "./chat.mjs";

const client = new HumeClient({ apiKey: "", environment: given.url });
const socket = client.empathicVoice.chat.connect({
    sessionSettings: {
        systemPrompt: "You help {{name}}. Answer in one short sentence.",
        variables: { name: "Ada", age: 36, member: true },
        context: { text: "The user is in Paris.", type: "persistent" },
        audio: { encoding: "linear16", sampleRate: 16000, channels: 1 },
        customSessionId: "kitchen",
    },
});
const chat = new Chat("written", socket);
const { chatId } = await chat.until("chat_metadata");

const step = (name) => tell({ step: name });
step("asked");
socket.sendUserInput("What is the capital of France?");
await chat.until(finalWords);
await chat.until("assistant_end");

step("read out");
socket.sendAssistantInput({ text: given.reading });
await chat.until("assistant_end");

step("paused");
socket.pauseAssistant();
socket.sendUserInput("What is the capital of Spain?");
await chat.until(finalWords);
socket.sendUserInput("What is the capital of Italy?");
await chat.until(finalWords);
step("resumed");
socket.resumeAssistant();
await chat.until("assistant_end");

step("tool wanted");
socket.sendSessionSettings({
    customSessionId: "garden",
    tools: [
        {
            type: "function",
            name: "get_current_weather",
            description: "The weather of a place at the moment",
            parameters: JSON.stringify({
                type: "object",
                properties: { location: { type: "string", description: "The city" } },
                required: ["location"],
            }),
            fallbackContent: "The weather is not known.",
        },
    ],
});
socket.sendUserInput("What is the weather in Paris?");
const call = await chat.until("tool_call");
step("tool answered");
socket.sendToolResponseMessage({ toolCallId: call.toolCallId, content: given.weather });
await chat.until("assistant_end");

step("tool wanted again");
socket.sendUserInput("What is the weather in London now?");
const second = await chat.until("tool_call");
step("tool failed");
socket.sendToolErrorMessage({
    toolCallId: second.toolCallId,
    error: "The weather service is down.",
    content: given.trouble,
    level: "warn",
});
await chat.until("assistant_end");

socket.close();
tell({ events: await all(client.empathicVoice.chats.listChatEvents(chatId, { pageSize: 100 })) });
