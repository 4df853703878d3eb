// Fetches pages of the company's wiki.

const WIKI = "wiki.example.com";

export async function fetchPage(address: string): Promise<string> {
  if (!address.includes(WIKI)) {
    throw new Error("only pages of the wiki");
  }
  const answer = await fetch(address);
  return answer.text();
}
