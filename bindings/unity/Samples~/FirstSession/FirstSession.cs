using System;
using ArrSession;
using ArrSession.Unity;
using UnityEngine;

/// <summary>
/// Add this to an empty GameObject, assign Settings of the Remote Rendering Session that comes with it, and press Play.
/// </summary>
[RequireComponent(typeof(RemoteRenderingSession))]
public sealed class FirstSession : MonoBehaviour
{
    RemoteRenderingSession session;
    string line = "";

    /// <summary>The text on the screen.</summary>
    public string Line
    {
        get { return line; }
    }

    async void Start()
    {
        session = GetComponent<RemoteRenderingSession>();
        try
        {
            line = "requesting a session";
            SessionProperties ready = await session.StartSessionAsync();
            // Connect your renderer here: to this host, with the token from Client.GetTokenAsync().
            line = "render on " + ready.Hostname;
            Debug.Log(line);
        }
        catch (OperationCanceledException)
        {
            line = "cancelled";
        }
        catch (Exception problem)
        {
            line = problem.Message;
        }
    }

    void OnGUI()
    {
        TimeSpan left = session != null ? session.Remaining : TimeSpan.Zero;
        GUI.Label(new Rect(10, 10, 600, 25), line + ", " + (int)left.TotalMinutes + " min left");
        if (session == null || session.Session == null) return;
        if (GUI.Button(new Rect(10, 40, 150, 30), "Extend by 15 min")) session.ExtendLease(15);
        if (GUI.Button(new Rect(170, 40, 150, 30), "Stop")) session.StopSession();
    }
}
