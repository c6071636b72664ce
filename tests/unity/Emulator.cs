// The emulator's control calls. They use curl, because Debian's Mono does not speak this TLS.

using System;
using System.Diagnostics;

static class Emulator
{
    public static string Url { get { return Environment.GetEnvironmentVariable("ARR_SERVICE_ENDPOINT"); } }

    static string CaFile { get { return Environment.GetEnvironmentVariable("ARR_CA_FILE"); } }

    // A session's status at the service, or null if it does not know the session.
    public static string StatusOf(string id)
    {
        string sessions = Call("GET", "sessions", null);
        int at = sessions.IndexOf("\"id\":\"" + id + "\"", StringComparison.Ordinal);
        if (at < 0) return null;
        const string key = "\"status\":\"";
        int start = sessions.IndexOf(key, at, StringComparison.Ordinal) + key.Length;
        return sessions.Substring(start, sessions.IndexOf('"', start) - start);
    }

    // The number of sessions at the service that have not ended.
    public static int Running()
    {
        string sessions = Call("GET", "sessions", null);
        int running = 0;
        foreach (string status in new[] { "Starting", "Ready", "Stopping" })
        {
            string found = "\"status\":\"" + status + "\"";
            for (int at = sessions.IndexOf(found, StringComparison.Ordinal); at >= 0; at = sessions.IndexOf(found, at + 1, StringComparison.Ordinal)) running++;
        }
        return running;
    }

    public static void AdvanceMinutes(int minutes) { Call("POST", "clock", "{\"advance_ms\": " + minutes * 60000L + "}"); }
    public static void Force(string id, string status) { Call("POST", "sessions/" + id, "{\"status\": \"" + status + "\"}"); }

    // Answers all requests of this method whose path matches with this action.
    public static void Fault(string method, string path, string action)
    {
        Call("POST", "faults", "{\"rules\": [{\"method\": \"" + method + "\", \"path\": \"" + path + "\", \"times\": 0, \"action\": " + action + "}]}");
    }

    public static void EndFaults() { Call("DELETE", "faults", null); }

    // The number of requests received.
    public static int Requests(string method, string ending)
    {
        string requests = Call("GET", "requests", null);
        int count = 0;
        foreach (string request in requests.Split(new[] { "\"time_ms\"" }, StringSplitOptions.None))
        {
            if (request.Contains("\"method\":\"" + method + "\"") && request.Contains(ending + "\"")) count++;
        }
        return count;
    }

    static string Call(string method, string path, string body)
    {
        // Ignores the user's curl settings and proxies: the emulator is on this machine.
        string arguments = "-q --noproxy * --silent --show-error --fail --max-time 10 -X " + method + " ";
        if (!string.IsNullOrEmpty(CaFile)) arguments += "--cacert \"" + CaFile + "\" ";
        if (body != null) arguments += "--data \"" + body.Replace("\"", "\\\"") + "\" ";
        ProcessStartInfo start = new ProcessStartInfo("curl", arguments + Url + "/emulator/" + path)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using (Process curl = Process.Start(start))
        {
            string said = curl.StandardOutput.ReadToEnd();
            string error = curl.StandardError.ReadToEnd();
            curl.WaitForExit();
            if (curl.ExitCode != 0) throw new Exception(method + " " + path + ": curl says " + error.Trim());
            return said;
        }
    }
}
