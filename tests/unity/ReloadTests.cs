// Play mode with a reload: the old application domain is unloaded, and a new one starts with fresh statics.

using System;
using System.Threading.Tasks;
using ArrSession;
using ArrSession.Unity;
using StandIn;
using UnityEngine;

static class ReloadTests
{
    public static void AReloadEndsTheOldDomainsClients()
    {
        string stopped = InDomain(delegate(Inside inside) { return inside.StartAndReload(true); });
        Check.Equal("Stopped", Emulator.StatusOf(stopped), "stopped before the reload");
        string left = InDomain(delegate(Inside inside) { return inside.StartAndReload(false); });
        Check.Equal("Ready", Emulator.StatusOf(left), "left alone by the reload");
        // The next domain uses the same library in the same process.
        string next = InDomain(delegate(Inside inside) { return inside.OpenAndStop(left); });
        Check.Equal(left, next, "the next domain opens it");
        Check.Equal("Stopped", Emulator.StatusOf(left), "and stops it");
    }

    public static void AnUnloadDuringOperationsHarmsNothing()
    {
        for (int i = 0; i < 3; i++) InDomain(delegate(Inside inside) { return inside.StartAndLeave(); });
        // The handles are unreachable, but ShutdownAll ends their clients.
        Check.That(ArrClient.ShutdownAll(TimeSpan.FromSeconds(5)), "the old domains' clients are ended");
        Stage.ReadySession();
    }

    static string InDomain(Func<Inside, string> play)
    {
        AppDomain domain = AppDomain.CreateDomain("reloaded", null, AppDomain.CurrentDomain.SetupInformation);
        try
        {
            return play((Inside)domain.CreateInstanceAndUnwrap(typeof(Inside).Assembly.FullName, typeof(Inside).FullName));
        }
        finally
        {
            AppDomain.Unload(domain);
        }
    }

    // Lives in the domain.
    public sealed class Inside : MarshalByRefObject
    {
        public Inside()
        {
            Stage.Open();
            PlayMode.AfterReload();
        }

        public string StartAndReload(bool stop)
        {
            RemoteRenderingSession session = Stage.ReadySession();
            session.StopOnQuit = stop;
            string id = session.Session.Id;
            Task<SessionProperties> pending = session.Session.GetPropertiesAsync();
            PlayMode.BeforeReload();
            Check.That(pending.IsCompleted, "the pending task has ended");
            Check.Equal(0, SessionPump.Count, "clients that are left");
            return id;
        }

        public string OpenAndStop(string id)
        {
            PlayMode.Enter();
            RemoteRenderingSession session = Stage.Session();
            Stage.Await(session.OpenSessionAsync(id));
            string opened = session.Session.Id;
            Stage.Await(session.StopSessionAsync());
            PlayMode.Exit();
            return opened;
        }

        public string StartAndLeave()
        {
            RemoteRenderingSession session = Stage.ReadySession();
            session.Session.GetPropertiesAsync();
            return session.Session.Id;
        }
    }
}
