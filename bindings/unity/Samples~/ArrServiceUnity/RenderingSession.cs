using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace ArrSession.Compatibility
{
    /// <summary>The active session. Service failures do not throw; the result reports them.</summary>
    public sealed class RenderingSession
    {
        readonly ARRServiceUnity service;
        readonly ArrSession.RenderingSession session;

        internal RenderingSession(ARRServiceUnity service, ArrSession.RenderingSession session)
        {
            this.service = service;
            this.session = session;
        }

        /// <summary>The session's id.</summary>
        public string SessionUuid
        {
            get { return session.Id; }
        }

        internal ArrSession.RenderingSession Inner
        {
            get { return session; }
        }

        /// <summary>Reads the properties from the service.</summary>
        public async Task<RenderingSessionPropertiesResult> GetPropertiesAsync()
        {
            RenderingSessionPropertiesResult result = new RenderingSessionPropertiesResult();
            try
            {
                result.SessionProperties = Convert.ToProperties(await session.GetPropertiesAsync());
            }
            catch (Exception problem)
            {
                result.Context = Convert.ToContext(problem);
            }
            return result;
        }

        /// <summary>Sets the total lease.</summary>
        public async Task<SessionContextResult> RenewAsync(RenderingSessionUpdateOptions options)
        {
            SessionContextResult result = new SessionContextResult();
            try
            {
                await session.UpdateLeaseAsync(options.MaxLease);
            }
            catch (Exception problem)
            {
                result.Context = Convert.ToContext(problem);
            }
            return result;
        }

        /// <summary>Stops the session.</summary>
        public Task<SessionContextResult> StopAsync()
        {
            return service.StopAsync(this);
        }
    }

    /// <summary>Lists the account's sessions.</summary>
    public sealed class RemoteRenderingClient
    {
        readonly ArrClient client;

        internal RemoteRenderingClient(ArrClient client)
        {
            this.client = client;
        }

        /// <summary>Lists the sessions that have not ended.</summary>
        public async Task<RenderingSessionPropertiesArrayResult> GetCurrentRenderingSessionsAsync()
        {
            RenderingSessionPropertiesArrayResult result = new RenderingSessionPropertiesArrayResult();
            try
            {
                List<RenderingSessionProperties> found = new List<RenderingSessionProperties>();
                foreach (SessionProperties properties in await client.ListSessionsAsync()) found.Add(Convert.ToProperties(properties));
                result.SessionProperties = found.ToArray();
            }
            catch (Exception problem)
            {
                result.Context = Convert.ToContext(problem);
                result.SessionProperties = new RenderingSessionProperties[0];
            }
            return result;
        }
    }

    static class Convert
    {
        internal static RenderingSessionProperties ToProperties(SessionProperties from)
        {
            return new RenderingSessionProperties
            {
                Status = ToStatus(from.Status),
                Size = ToSize(from.Size),
                Id = from.SessionId,
                Hostname = from.Hostname,
                Message = from.Message,
                ElapsedTimeInMinutes = (int)from.Elapsed.TotalMinutes,
                MaxLeaseInMinutes = (int)from.MaxLease.TotalMinutes,
                HandshakePort = from.HandshakePort,
                ArrInspectorPort = from.ArrInspectorPort,
            };
        }

        internal static RenderingSessionStatus ToStatus(SessionStatus from)
        {
            switch (from)
            {
                case SessionStatus.Starting: return RenderingSessionStatus.Starting;
                case SessionStatus.Ready: return RenderingSessionStatus.Ready;
                // The original API has no Stopping state.
                case SessionStatus.Stopping: return RenderingSessionStatus.Stopped;
                case SessionStatus.Stopped: return RenderingSessionStatus.Stopped;
                case SessionStatus.Expired: return RenderingSessionStatus.Expired;
                case SessionStatus.Error: return RenderingSessionStatus.Error;
                default: return RenderingSessionStatus.Unknown;
            }
        }

        internal static SessionGeneralContext ToContext(Exception problem)
        {
            ArrException failure = problem as ArrException;
            return new SessionGeneralContext
            {
                Result = Result.Fail,
                ErrorMessage = problem.Message,
                HttpResponseCode = failure != null ? (uint)failure.HttpStatus : 0,
                ResponseCorrelationVector = failure != null ? failure.CorrelationVector : null,
            };
        }

        static RenderingSessionVmSize ToSize(SessionSize from)
        {
            if (from == SessionSize.Premium) return RenderingSessionVmSize.Premium;
            return from == SessionSize.Standard ? RenderingSessionVmSize.Standard : RenderingSessionVmSize.None;
        }
    }
}
