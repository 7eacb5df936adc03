// Prompts, tools, voices and configs are kept on the device; a config begins the chat by itself.

import { HumeClient, HumeError } from "hume";
import { all, Chat, given, tell } from "./chat.mjs";

const client = new HumeClient({ apiKey: "", environment: given.url });
const { prompts, tools, configs, chats, chatGroups } = client.empathicVoice;
const parameters = '{"type": "object", "properties": {}}';

/** The status of a refusal; the client raises one error for all of them. */
async function refused(request) {
    try {
        await request;
    } catch (error) {
        if (error instanceof HumeError) return error.statusCode;
        throw error;
    }
    return null;
}

const prompt = await prompts.createPrompt({ name: "Guide", text: "You are a guide." });
const prompt1 = await prompts.createPromptVersion(prompt.id, { text: "You are {{kind}} guide." });
const tool = await tools.createTool({ name: "get_time", parameters, description: "The time" });
const tool1 = await tools.createToolVersion(tool.id, { parameters, fallbackContent: "Unknown" });
const renamed = await prompts.updatePromptName(prompt.id, { name: "City guide" });
await tools.updateToolName(tool.id, { name: "get_time_now" });
await tools.updateToolDescription(tool.id, 0, { versionDescription: "the first" });
tell({
    prompt, prompt1, tool, tool1, renamed,
    prompts: await all(prompts.listPrompts({ pageSize: 1 })),
    promptVersions: (await prompts.listPromptVersions(prompt.id, { restrictToMostRecent: false })).promptsPage,
    tools: await all(tools.listTools({ name: "get_time_now" })),
    toolVersions: await all(tools.listToolVersions(tool.id, { restrictToMostRecent: false })),
    toolVersion0: await tools.getToolVersion(tool.id, 0),
});

const spoken = await client.tts.synthesizeJson({
    utterances: [{ text: "Good morning.", description: "calm and slow" }],
});
const voice = await client.tts.voices.create({
    generationId: spoken.generations[0].generationId,
    name: "Morning",
});
tell({
    voice,
    ofDevice: await all(client.tts.voices.list({ provider: "HUME_AI" })),
    own: await all(client.tts.voices.list({ provider: "CUSTOM_VOICE" })),
});

const config = await configs.createConfig({
    eviVersion: "3",
    name: "Tour",
    prompt: { id: prompt.id, version: 1 },
    tools: [{ id: tool.id }],
    builtinTools: [{ name: "hang_up" }],
    voice: { name: "Morning", provider: "CUSTOM_VOICE" },
    languageModel: { modelProvider: "ANTHROPIC", modelResource: "claude-3-7-sonnet-latest", temperature: 0.5 },
    eventMessages: { onNewChat: { enabled: true, text: given.greeting } },
    timeouts: { inactivity: { enabled: true, durationSecs: 60 }, maxDuration: { enabled: true, durationSecs: 300 } },
    turnDetection: { endOfTurnSilenceMs: 900 },
    nudges: { enabled: false },
});
await configs.updateConfigName(config.id, { name: "City tour" });
await configs.updateConfigDescription(config.id, 0, { versionDescription: "the first" });
const config1 = await configs.createConfigVersion(config.id, {
    eviVersion: "3",
    prompt: { text: "You are nobody." },
    eventMessages: { onNewChat: { enabled: true, text: given.laterGreeting } },
});
tell({
    config, config1,
    config0: await configs.getConfigVersion(config.id, 0),
    configs: await all(configs.listConfigs()),
    configVersions: await all(configs.listConfigVersions(config.id, { restrictToMostRecent: false })),
});

async function greeted(name, more) {
    const socket = client.empathicVoice.chat.connect({ configId: config.id, ...more });
    const chat = new Chat(name, socket);
    const metadata = await chat.until("chat_metadata");
    let seconds = 0;
    await chat.until((message) => {
        if (message.type === "audio_output") seconds += (Buffer.from(message.data, "base64").length - 44) / 96000;
        return message.type === "assistant_end";
    });
    // Whoever listens plays what was sent; this one leaves after more than half of it.
    await new Promise((resolve) => setTimeout(resolve, seconds * 700));
    socket.close();
    return metadata;
}
const first = await greeted("first", {
    configVersion: 0,
    sessionSettings: { variables: { kind: "a patient" } },
});
await greeted("latest", {});
await greeted("again", { configVersion: 0, resumedChatGroupId: first.chatGroupId });

tell({
    chats: await all(chats.listChats({ configId: config.id, pageSize: 1, ascendingOrder: true })),
    events: await all(chats.listChatEvents(first.chatId)),
    audio: await chats.getAudio(first.chatId),
    groups: await all(chatGroups.listChatGroups({ configId: config.id })),
    group: await chatGroups.getChatGroup(first.chatGroupId),
    groupEvents: await all(chatGroups.listChatGroupEvents(first.chatGroupId)),
    groupAudio: await chatGroups.getAudio(first.chatGroupId),
});

await configs.deleteConfigVersion(config.id, 1);
await configs.deleteConfig(config.id);
await prompts.deletePromptVersion(prompt.id, 1);
await prompts.deletePrompt(prompt.id);
await tools.deleteToolVersion(tool.id, 1);
await tools.deleteTool(tool.id);
await client.tts.voices.delete({ name: "Morning" });
tell({
    refusals: [
        await refused(configs.getConfigVersion(config.id, 0)),
        await refused(prompts.getPromptVersion(prompt.id, 0)),
        await refused(tools.getToolVersion(tool.id, 0)),
        await refused(configs.createConfig({ eviVersion: "3", name: "" })),
    ],
    left: await all(configs.listConfigs()),
    voicesLeft: await all(client.tts.voices.list({ provider: "CUSTOM_VOICE" })),
});
