// Names for what the seed makes up.

export const adjectives = [
	'amber', 'ancient', 'arctic', 'bold', 'brave', 'bright', 'calm', 'clever', 'cosmic', 'crimson', 'curious', 'dusty', 'eager',
	'electric', 'fuzzy', 'gentle', 'golden', 'hidden', 'hollow', 'icy', 'jolly', 'keen', 'lazy', 'lucky', 'lunar', 'mellow',
	'misty', 'noble', 'odd', 'patient', 'quiet', 'rapid', 'rusty', 'silent', 'silver', 'sleepy', 'solar', 'tiny', 'velvet', 'wild',
] as const; // biome-ignore format: a list
export const nouns = [
	'badger', 'beacon', 'bridge', 'canyon', 'cedar', 'comet', 'coral', 'crow', 'dragon', 'ember', 'falcon', 'fern', 'forge', 'fox',
	'garden', 'glacier', 'harbor', 'heron', 'island', 'lantern', 'library', 'lynx', 'maple', 'meadow', 'nebula', 'oak', 'otter',
	'owl', 'panda', 'pebble', 'pixel', 'raven', 'reef', 'river', 'sparrow', 'summit', 'tavern', 'thicket', 'tiger', 'willow',
] as const; // biome-ignore format: a list
export const guildKinds = [
	'Guild',
	'Hangout',
	'Society',
	'Club',
	'Gamers',
	'Makers',
	'Study Hall',
	'Community',
	'HQ',
	'Lounge',
] as const;
export const channelNames = [
	'general', 'announcements', 'introductions', 'off-topic', 'memes', 'music', 'art', 'gaming', 'help', 'bots', 'feedback', 'events',
	'photos', 'food', 'pets', 'coding', 'movies', 'books', 'sports', 'trading', 'looking-for-group', 'ideas', 'clips', 'support',
] as const; // biome-ignore format: a list
export const voiceNames = ['Lounge', 'Gaming', 'Music', 'Study', 'AFK'] as const;
export const roleNames = [
	'Admin',
	'Moderator',
	'Helper',
	'Booster',
	'Veteran',
	'Artist',
	'Member',
	'Muted',
	'Events',
	'Bots',
] as const;
export const phrases = [
	'hello there', 'anyone around?', 'good morning everyone', 'that was a great game', 'has anybody seen the patch notes?', 'lol',
	'brb, coffee', 'nice one!', 'how do I get the role?', '+1', 'who is up for a round tonight?', 'ping me when you start',
	'thanks, that worked', 'can a mod have a look?', 'happy friday', 'what do you think of the new channel?', 'see you tomorrow',
	'interesting, tell me more', 'I disagree, but fair', 'shipping it', 'it works on my machine', 'welcome!', 'gg', 'same here',
] as const; // biome-ignore format: a list
